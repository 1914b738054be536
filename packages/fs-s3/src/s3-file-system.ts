import {
  CopyObjectCommand, DeleteObjectsCommand, HeadBucketCommand, HeadObjectCommand, PutObjectCommand, S3Client, paginateListObjectsV2, type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { MillraceError, type FileReader, type FileStatus, type FileSystem, type FileWriter, type StagedFiles } from "@millrace/core";
import { guarded, isMissingObject, s3Error, statusOf } from "./s3-error.js";
import { directoryPrefix, parseLocation } from "./s3-location.js";
import { S3Reader } from "./s3-reader.js";
import { S3StagedFiles } from "./s3-staged-files.js";
import { S3Writer } from "./s3-writer.js";

const READ_BYTES = 1024 * 1024;
const MAX_ATTEMPTS = 8;

/** Makes the file system for `s3:` and `s3a:` paths; called by Millrace when the first such path is met. */
export function createFileSystem(): FileSystem {
  return new S3FileSystem();
}

/**
 * Objects in Amazon S3, and in what speaks its protocol, as files: `s3://bucket/path`.
 *
 * Where and as whom comes from AWS's own variables and files: `AWS_ENDPOINT_URL_S3` (a store of your own; it is addressed by paths), `AWS_REGION`,
 * `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_PROFILE`, the role of the machine. Requests that fail for the moment (500, 503, broken
 * connections) are tried eight times, with growing pauses.
 *
 * What objects cannot do: see {@link FileSystem.stagedFiles}. Errors: `FILE_NOT_FOUND`, `FILE_ACCESS_DENIED`, `FILE_CHANGED`, `S3_REQUEST_FAILED`,
 * `FILE_OPERATION_UNSUPPORTED`.
 */
export class S3FileSystem implements FileSystem {
  readonly #client: S3Client;
  readonly #staged: S3StagedFiles;

  /** @param config over the environment's */
  constructor(config: S3ClientConfig = {}) {
    // The version that this package pins runs on Node 20; what later ones will do is no news for who runs a job.
    process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
    this.#client = new S3Client({
      region: process.env["AWS_REGION"] ?? "us-east-1",
      maxAttempts: MAX_ATTEMPTS,
      forcePathStyle: process.env["AWS_ENDPOINT_URL_S3"] !== undefined || process.env["AWS_ENDPOINT_URL"] !== undefined || config.endpoint !== undefined,
      // Checksums that not every store knows are sent only where S3 demands one.
      requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED",
      requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000 },
      ...config,
    });
    this.#staged = new S3StagedFiles(this.#client);
  }

  resolve(path: string): string {
    const { bucket, key } = parseLocation(path);
    return key === "" ? `s3://${bucket}` : `s3://${bucket}/${key}`;
  }

  async read(path: string, fromByte: number = 0): Promise<FileReader> {
    return new S3Reader(this.#client, path, parseLocation(path), fromByte).open();
  }

  async create(path: string): Promise<FileWriter> {
    return new S3Writer(this.#client, path, parseLocation(path));
  }

  resume(path: string): Promise<FileWriter> {
    return Promise.reject(new MillraceError({ code: "FILE_OPERATION_UNSUPPORTED", message: `cannot append to ${path}: objects in S3 are written once`, location: { file: path } }));
  }

  async readFile(path: string): Promise<Uint8Array> {
    const reader = await this.read(path);
    const pieces: Uint8Array[] = [];
    try {
      for (let piece = await reader.read(READ_BYTES); piece !== undefined; piece = await reader.read(READ_BYTES)) pieces.push(piece);
    } finally {
      await reader.close();
    }
    return Buffer.concat(pieces);
  }

  async writeAtomic(path: string, bytes: Uint8Array): Promise<void> {
    const { bucket: Bucket, key: Key } = parseLocation(path);
    await guarded("write", path, () => this.#client.send(new PutObjectCommand({ Bucket, Key, Body: bytes })));
  }

  async createExclusive(path: string, bytes: Uint8Array): Promise<boolean> {
    const { bucket: Bucket, key: Key } = parseLocation(path);
    return guarded("write", path, async () => {
      try {
        await this.#client.send(new PutObjectCommand({ Bucket, Key, Body: bytes, IfNoneMatch: "*" }));
        return true;
      } catch (error) {
        if (statusOf(error) === 412) return false;
        throw error;
      }
    });
  }

  /** Copies and deletes: not atomic, and only up to 5 GB. */
  async rename(from: string, to: string): Promise<void> {
    const source = parseLocation(from);
    const { bucket: Bucket, key: Key } = parseLocation(to);
    const CopySource = `${source.bucket}/${source.key.split("/").map(encodeURIComponent).join("/")}`;
    await guarded(`rename to ${to}`, from, () => this.#client.send(new CopyObjectCommand({ Bucket, Key, CopySource })));
    await this.#deleteKeys(from, source.bucket, [source.key]);
  }

  async status(path: string): Promise<FileStatus | undefined> {
    const { bucket: Bucket, key: Key } = parseLocation(path);
    const directory: FileStatus = { path, sizeBytes: 0, modifiedMs: 0, isDirectory: true };
    return guarded("look at", path, async () => {
      if (Key === "") {
        await this.#client.send(new HeadBucketCommand({ Bucket }));
        return directory;
      }
      try {
        const { ContentLength = 0, LastModified } = await this.#client.send(new HeadObjectCommand({ Bucket, Key }));
        return { path, sizeBytes: ContentLength, modifiedMs: LastModified?.getTime() ?? 0, isDirectory: false };
      } catch (error) {
        if (!isMissingObject(error)) throw error;
      }
      // Its own answer tells a missing bucket from a missing object.
      for await (const page of paginateListObjectsV2({ client: this.#client }, { Bucket, Prefix: directoryPrefix(Key), MaxKeys: 1 })) return page.KeyCount === 0 ? undefined : directory;
      return undefined;
    });
  }

  /** A directory without files is empty, whether it was made or not. */
  async list(path: string): Promise<FileStatus[]> {
    const { bucket: Bucket, key } = parseLocation(path);
    const Prefix = directoryPrefix(key);
    const at = (found: string): string => `s3://${Bucket}/${found.replace(/\/$/, "")}`;
    return guarded("list", path, async () => {
      const entries: FileStatus[] = [];
      for await (const page of paginateListObjectsV2({ client: this.#client }, { Bucket, Prefix, Delimiter: "/" })) {
        for (const { Prefix: below } of page.CommonPrefixes ?? []) entries.push({ path: at(below!), sizeBytes: 0, modifiedMs: 0, isDirectory: true });
        for (const { Key, Size = 0, LastModified } of page.Contents ?? []) {
          // Consoles mark directories by empty objects.
          if (!Key!.endsWith("/")) entries.push({ path: at(Key!), sizeBytes: Size, modifiedMs: LastModified?.getTime() ?? 0, isDirectory: false });
        }
      }
      return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
    });
  }

  async delete(path: string): Promise<void> {
    const { bucket, key } = parseLocation(path);
    if (key === "") throw new MillraceError({ code: "FILE_ACCESS_DENIED", message: `refusing to delete ${path}, a whole bucket`, location: { file: path } });
    await this.#deleteKeys(path, bucket, [key]);
    await guarded("list", path, async () => {
      for await (const page of paginateListObjectsV2({ client: this.#client }, { Bucket: bucket, Prefix: directoryPrefix(key) })) {
        const keys = (page.Contents ?? []).map(({ Key }) => Key!);
        if (keys.length > 0) await this.#deleteKeys(path, bucket, keys);
      }
    });
  }

  /** Directories come with their files. */
  async mkdirs(path: string): Promise<void> {
    parseLocation(path);
  }

  stagedFiles(): Promise<StagedFiles> {
    return Promise.resolve(this.#staged);
  }

  async #deleteKeys(path: string, bucket: string, keys: readonly string[]): Promise<void> {
    const { Errors = [] } = await guarded("delete", path, () =>
      this.#client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true } })));
    const [first] = Errors.filter(({ Code }) => Code !== "NoSuchKey");
    if (first !== undefined) throw s3Error(Object.assign(new Error(first.Message), { name: first.Code }), "delete", `s3://${bucket}/${first.Key}`);
  }
}
