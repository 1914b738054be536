import { gzip } from "node:zlib";
import type { FileSystem, FileWriter, StagedFiles, StagedFileWriter } from "@millrace/core";
import type { FileSinkCommittable, InProgressPart } from "./file-sink-state.js";
import type { PartFileInfo } from "./rolling-policy.js";

/** The part file of one bucket: rows are buffered by `append` and taken to disk by the asynchronous methods, which the writer calls one at a time. */
export class PartFile implements PartFileInfo {
  readonly bucketId: string;
  readonly inProgressPath: string;
  readonly finalPath: string;
  readonly createdMs: number;
  lastUpdateMs: number;
  readonly #fs: FileSystem;
  readonly #compressed: boolean;
  readonly #stagedFiles: StagedFiles | undefined;
  #writer: FileWriter | undefined;
  #staged: StagedFileWriter | undefined;
  #writtenBytes: number;
  #buffer: string = "";

  /** `writer` is given for a part that is resumed; else the file is created with its first bytes, with `stagedFiles` as one of them. */
  constructor(fs: FileSystem, compressed: boolean, part: InProgressPart, { writer, stagedFiles }: { readonly writer?: FileWriter; readonly stagedFiles?: StagedFiles | undefined } = {}) {
    this.#fs = fs;
    this.#compressed = compressed;
    this.bucketId = part.bucketId;
    this.inProgressPath = part.inProgressPath;
    this.finalPath = part.finalPath;
    this.createdMs = part.createdMs;
    this.lastUpdateMs = part.lastUpdateMs;
    this.#writer = writer;
    this.#stagedFiles = stagedFiles;
    this.#writtenBytes = part.lengthBytes;
  }

  get sizeBytes(): number {
    return this.#writtenBytes + this.#buffer.length;
  }

  get bufferedChars(): number {
    return this.#buffer.length;
  }

  append(text: string): void {
    this.#buffer += text;
  }

  /** The buffered rows, which are the caller's to {@link write}. */
  takeBuffer(): Buffer {
    const bytes = Buffer.from(this.#buffer, "utf8");
    this.#buffer = "";
    this.#writtenBytes += bytes.length;
    return bytes;
  }

  async write(bytes: Buffer): Promise<void> {
    // Each piece is a gzip member of its own, so that a part can be resumed at any checkpoint; gunzip reads members as one file.
    const stored = this.#compressed ? await compress(bytes) : bytes;
    if (this.#writer === undefined && this.#stagedFiles !== undefined) this.#writer = this.#staged = await this.#stagedFiles.create(this.finalPath);
    this.#writer ??= await this.#fs.create(this.inProgressPath);
    await this.#writer.write(stored);
    this.#writtenBytes += stored.length - bytes.length;
  }

  async sync(): Promise<InProgressPart> {
    await this.#writer!.sync();
    const { bucketId, inProgressPath, finalPath, createdMs, lastUpdateMs } = this;
    return { bucketId, inProgressPath, finalPath, lengthBytes: this.#writer!.positionBytes, createdMs, lastUpdateMs };
  }

  async finish(): Promise<FileSinkCommittable> {
    const writer = this.#writer!;
    const { inProgressPath, finalPath } = this;
    const staged = this.#staged === undefined ? {} : { staged: (await this.#staged.stage()).token };
    await writer.close();
    this.#writer = undefined;
    return { inProgressPath, finalPath, sizeBytes: writer.positionBytes, ...staged };
  }

  /** Lets go of the file and leaves it as it is: it belongs to a checkpoint, or to who cleans up after this attempt. A staged one is in no checkpoint, and thrown away. */
  async abandon(): Promise<void> {
    await this.#writer?.close();
    this.#writer = undefined;
  }
}

function compress(bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => gzip(bytes, (error, result) => (error === null ? resolve(result) : reject(error))));
}
