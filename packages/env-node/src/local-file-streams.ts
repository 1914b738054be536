import type { FileHandle } from "node:fs/promises";
import { MillraceError, type FileReader, type FileWriter } from "@millrace/core";
import { fileError } from "./file-errors.js";

/** Reads a local file forward from a position. */
export class LocalFileReader implements FileReader {
  readonly #handle: FileHandle;
  readonly #path: string;
  #position: number;

  constructor(handle: FileHandle, path: string, fromByte: number) {
    this.#handle = handle;
    this.#path = path;
    this.#position = fromByte;
  }

  async read(maxBytes: number, into?: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      const bytes = into ?? new Uint8Array(maxBytes);
      const { bytesRead } = await this.#handle.read(bytes, 0, maxBytes, this.#position);
      this.#position += bytesRead;
      return bytesRead === 0 ? undefined : bytesRead === bytes.length ? bytes : bytes.subarray(0, bytesRead);
    } catch (error) {
      throw fileError(error, "read", this.#path);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/**
 * Appends to a local file. Bytes given to `write` must stay unchanged until its promise settles; writes may overlap and keep their order.
 *
 * After a failure the writer stays failed: what a failed sync left on disk cannot be known, so retrying it would lie.
 */
export class LocalFileWriter implements FileWriter {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #syncName: () => Promise<void>;
  readonly #pending = new Set<Promise<void>>();
  #position: number;
  #syncedTo = -1;
  #nameSynced = false;
  #closed = false;
  #failure: MillraceError | undefined;

  constructor(handle: FileHandle, path: string, position: number, syncName: () => Promise<void>) {
    this.#handle = handle;
    this.#path = path;
    this.#position = position;
    this.#syncName = syncName;
  }

  get positionBytes(): number {
    return this.#position;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkUsable();
    const position = this.#position;
    this.#position += bytes.length;
    const writing = this.#guard("write to", () => this.#writeAt(bytes, position));
    this.#pending.add(writing);
    try {
      await writing;
    } finally {
      this.#pending.delete(writing);
    }
  }

  async #writeAt(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += (await this.#handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
    }
  }

  async sync(): Promise<void> {
    this.#checkUsable();
    await this.#guard("sync", () => this.#flush());
  }

  async #flush(): Promise<void> {
    await Promise.all(this.#pending);
    const position = this.#position;
    if (position !== this.#syncedTo) await this.#handle.datasync();
    this.#syncedTo = position;
    if (this.#nameSynced) return;
    await this.#syncName();
    this.#nameSynced = true;
  }

  /** Syncs and closes. Closing twice is fine; closing a failed writer frees it and reports the failure again. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#guard("close", () => this.#flush());
    } finally {
      await this.#handle.close();
    }
  }

  #checkUsable(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#closed) return;
    throw new MillraceError({ code: "FILE_CLOSED", message: `cannot write to ${this.#path}: the writer is closed`, location: { file: this.#path } });
  }

  async #guard(doing: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#failure ??= error instanceof MillraceError ? error : fileError(error, doing, this.#path);
      throw this.#failure;
    }
  }
}
