import { AbortMultipartUploadCommand, CompleteMultipartUploadCommand, HeadObjectCommand, ListMultipartUploadsCommand, ListPartsCommand, type CompletedPart, type ListMultipartUploadsCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import type { StagedFile, StagedFileCommit, StagedFiles, StagedFileWriter } from "@millrace/core";
import { MultipartUpload } from "./multipart-upload.js";
import { closedError, guarded, isMissingObject, nameOf, statusOf } from "./s3-error.js";
import { directoryPrefix, parseLocation } from "./s3-location.js";

/** What a {@link StagedFile}'s token holds, as JSON. */
interface Token {
  readonly uploadId: string;
  /** In the order of the parts; absent in what was listed. */
  readonly eTags?: readonly string[];
}

/** Staged files as multipart uploads: a commit completes one, in any process. */
export class S3StagedFiles implements StagedFiles {
  readonly #client: S3Client;

  constructor(client: S3Client) {
    this.#client = client;
  }

  async create(path: string): Promise<StagedFileWriter> {
    return guarded("begin", path, async () => new S3StagedWriter(path, await MultipartUpload.begin(this.#client, parseLocation(path), (own) => this.#discardOthers(path, own))));
  }

  commit(file: StagedFile): Promise<StagedFileCommit> {
    const { uploadId, eTags = [] } = JSON.parse(file.token) as Token;
    const parts = eTags.map((eTag, index): CompletedPart => ({ PartNumber: index + 1, ETag: eTag }));
    return guarded("commit", file.path, async () => {
      try {
        await this.#complete(file, uploadId, parts);
        return "committed";
      } catch (error) {
        if (nameOf(error) !== "NoSuchUpload" && statusOf(error) !== 412) throw error;
        return this.#judge(file, uploadId);
      }
    });
  }

  async list(directory: string): Promise<readonly StagedFile[]> {
    const { bucket, key } = parseLocation(directory);
    return guarded("list uploads below", directory, () => this.#uploads(bucket, directoryPrefix(key)));
  }

  async discard({ path, token }: StagedFile): Promise<void> {
    const { bucket, key } = parseLocation(path);
    await guarded("discard the upload of", path, async () => {
      try {
        await this.#client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: (JSON.parse(token) as Token).uploadId }));
      } catch (error) {
        if (!isMissingObject(error)) throw error;
      }
    });
  }

  /** Nobody else writes to the path: what else was begun there comes from a request whose answer was lost. */
  async #discardOthers(path: string, ownUploadId: string): Promise<void> {
    const { bucket, key } = parseLocation(path);
    for (const file of await this.#uploads(bucket, key)) {
      if (file.path === `s3://${bucket}/${key}` && (JSON.parse(file.token) as Token).uploadId !== ownUploadId) await this.discard(file);
    }
  }

  async #uploads(bucket: string, prefix: string): Promise<StagedFile[]> {
    const found: StagedFile[] = [];
    let after: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {};
    while (after !== undefined) {
      const page: ListMultipartUploadsCommandOutput = await this.#client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...after }));
      for (const { Key, UploadId } of page.Uploads ?? []) {
        found.push({ path: `s3://${bucket}/${Key}`, sizeBytes: 0, token: JSON.stringify({ uploadId: UploadId! } satisfies Token) });
      }
      after = page.IsTruncated === true ? { KeyMarker: page.NextKeyMarker!, UploadIdMarker: page.NextUploadIdMarker! } : undefined;
    }
    return found;
  }

  async #complete({ path }: StagedFile, uploadId: string, parts: CompletedPart[]): Promise<void> {
    const { bucket, key } = parseLocation(path);
    const request = { Bucket: bucket, Key: key, UploadId: uploadId, MultipartUpload: { Parts: parts } };
    try {
      await this.#client.send(new CompleteMultipartUploadCommand({ ...request, IfNoneMatch: "*" }));
    } catch (error) {
      // Stores without conditional requests: then only the unique names keep parts apart.
      if (statusOf(error) !== 501) throw error;
      await this.#client.send(new CompleteMultipartUploadCommand(request));
    }
  }

  /** Completing failed because the upload is gone or the path is taken: by this very file, or by something else? */
  async #judge(file: StagedFile, uploadId: string): Promise<StagedFileCommit> {
    const size = await this.#hasSize(file);
    if (size === undefined) return "lost";
    if (size !== file.sizeBytes) return "conflict";
    return (await this.#isOpen(file, uploadId)) ? "conflict" : "already committed";
  }

  async #hasSize({ path }: StagedFile): Promise<number | undefined> {
    const { bucket, key } = parseLocation(path);
    try {
      return (await this.#client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).ContentLength;
    } catch (error) {
      if (isMissingObject(error)) return undefined;
      throw error;
    }
  }

  async #isOpen({ path }: StagedFile, uploadId: string): Promise<boolean> {
    const { bucket, key } = parseLocation(path);
    try {
      await this.#client.send(new ListPartsCommand({ Bucket: bucket, Key: key, UploadId: uploadId, MaxParts: 1 }));
      return true;
    } catch (error) {
      if (isMissingObject(error)) return false;
      throw error;
    }
  }
}

class S3StagedWriter implements StagedFileWriter {
  readonly #path: string;
  readonly #upload: MultipartUpload;
  #queue: Promise<void> = Promise.resolve();
  #position = 0;
  #ended = false;

  constructor(path: string, upload: MultipartUpload) {
    this.#path = path;
    this.#upload = upload;
  }

  get positionBytes(): number {
    return this.#position;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#ended) return Promise.reject(closedError(this.#path));
    this.#position += bytes.length;
    const done = this.#queue.then(() => guarded("write to", this.#path, () => this.#upload.append(bytes)));
    this.#queue = done.catch(() => undefined);
    return done;
  }

  sync(): Promise<void> {
    return this.#queue;
  }

  async stage(): Promise<StagedFile> {
    this.#ended = true;
    await this.#queue;
    const parts = await guarded("write", this.#path, () => this.#upload.finish());
    const token: Token = { uploadId: this.#upload.uploadId, eTags: parts.map(({ ETag }) => ETag!) };
    return { path: this.#path, sizeBytes: this.#position, token: JSON.stringify(token) };
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#queue;
    await guarded("discard the upload of", this.#path, () => this.#upload.abort());
  }
}
