import type { FileSystem, FileWriter, StagedFiles, StagedFileWriter } from "@millrace/core";
import type { ClosedPart, InProgressPart } from "./file-sink-state.js";
import type { PartContent } from "./part-content.js";
import type { PartFileInfo } from "./rolling-policy.js";

/** Where the bytes of a part go; the file is created with the first ones. */
export interface PartStorage {
  /** Of a part that is resumed. */
  readonly writer?: FileWriter;
  /** It becomes one of these. */
  readonly stagedFiles?: StagedFiles | undefined;
  /** It becomes a hidden object on a store of whole ones, which shows only when it is closed. */
  readonly isObject?: boolean;
}

/** The part file of one bucket: rows are buffered by `append` and taken to disk by the asynchronous methods, which the writer calls one at a time. */
export class PartFile<T> implements PartFileInfo {
  readonly bucketId: string;
  readonly inProgressPath: string;
  readonly finalPath: string;
  readonly createdMs: number;
  lastUpdateMs: number;
  readonly #fs: FileSystem;
  readonly #content: PartContent<T>;
  readonly #stagedFiles: StagedFiles | undefined;
  readonly #isObject: boolean;
  #writer: FileWriter | undefined;
  #staged: StagedFileWriter | undefined;
  #writtenBytes: number;

  /** For how it is stored, see {@link PartStorage}. */
  constructor(fs: FileSystem, content: PartContent<T>, part: InProgressPart, { writer, stagedFiles, isObject = false }: PartStorage = {}) {
    this.#fs = fs;
    this.#content = content;
    this.bucketId = part.bucketId;
    this.inProgressPath = part.inProgressPath;
    this.finalPath = part.finalPath;
    this.createdMs = part.createdMs;
    this.lastUpdateMs = part.lastUpdateMs;
    this.#writer = writer;
    this.#stagedFiles = stagedFiles;
    this.#isObject = isObject;
    this.#writtenBytes = part.lengthBytes;
  }

  get sizeBytes(): number {
    return this.#writtenBytes + this.#content.bufferedBytes;
  }

  /** What waits to be taken. */
  get readyBytes(): number {
    return this.#content.readyBytes;
  }

  append(value: T): void {
    this.#content.append(value);
  }

  /** What waits to be written, which is the caller's to {@link write}; at the end, all that is left. */
  take(isEnd: boolean): Uint8Array {
    const bytes = isEnd ? this.#content.end() : this.#content.take();
    this.#writtenBytes += bytes.length;
    return bytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const stored = await this.#content.store(bytes);
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

  async finish(): Promise<ClosedPart> {
    const writer = this.#writer!;
    const { bucketId, inProgressPath, finalPath } = this;
    const staged = this.#staged === undefined ? {} : { staged: (await this.#staged.stage()).token };
    await writer.close();
    this.#writer = undefined;
    return { bucketId, inProgressPath, finalPath, sizeBytes: writer.positionBytes, ...staged };
  }

  /** Lets go of the file and leaves it as it is: it belongs to a checkpoint, or to who cleans up after this attempt. On a store of whole objects it is in no checkpoint, and thrown away. */
  async abandon(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close();
    if (this.#isObject && writer !== undefined) await this.#fs.delete(this.inProgressPath);
  }
}
