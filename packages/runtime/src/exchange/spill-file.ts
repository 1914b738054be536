import type { FileReader, FileSystem, FileWriter } from "@millrace/core";
import { Deque } from "./deque.js";

/** Buffers read ahead of their reader. */
const READ_AHEAD = 4;

/**
 * Buffers of one channel that found no room in memory: appended while they come, read back in the same order afterwards.
 *
 * All calls come from the slot's thread and never wait; `append`'s callback and `onReadable` come later, from the same thread. The first read ends
 * the writing. What a crash leaves behind is worth nothing, so nothing is synced before it is read.
 */
export class SpillFile {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #onFailure: (error: unknown) => void;
  readonly #lengths = new Deque<number>();
  readonly #read = new Deque<ArrayBuffer>();
  #last: Promise<void> = Promise.resolve();
  #writer: FileWriter | undefined;
  #reader: FileReader | undefined;
  #reading = false;
  #closed = false;
  /** Called when `take` has a buffer again. */
  onReadable: (() => void) | undefined;

  constructor(fs: FileSystem, path: string, onFailure: (error: unknown) => void) {
    this.#fs = fs;
    this.#path = path;
    this.#onFailure = onFailure;
  }

  /** Appends a buffer, which must not change before `stored` is called. */
  append(buffer: ArrayBuffer, stored: () => void): void {
    this.#lengths.push(buffer.byteLength);
    this.#then(async () => {
      this.#writer ??= await this.#fs.create(this.#path);
      await this.#writer.write(new Uint8Array(buffer));
      if (!this.#closed) stored();
    });
  }

  /** The oldest buffer not taken yet; `undefined` while it is still on its way, which `onReadable` tells the end of. */
  take(): ArrayBuffer | undefined {
    const buffer = this.#read.shift();
    this.#readAhead();
    return buffer;
  }

  /** Whether `take` has a buffer. Starts to read when not. */
  get ready(): boolean {
    if (this.#read.length === 0) this.#readAhead();
    return this.#read.length > 0;
  }

  /** Deletes the file, whatever of it was read. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#read.clear();
    this.#last = this.#last.then(async () => {
      await this.#reader?.close();
      await this.#writer?.close();
      await this.#fs.delete(this.#path);
    }).catch(() => undefined);
  }

  #readAhead(): void {
    if (this.#reading || this.#closed || this.#lengths.length === 0 || this.#read.length >= READ_AHEAD) return;
    this.#reading = true;
    this.#then(async () => {
      if (this.#reader === undefined) {
        await this.#writer!.close();
        this.#writer = undefined;
        this.#reader = await this.#fs.read(this.#path);
      }
      while (this.#read.length < READ_AHEAD && this.#lengths.length > 0 && !this.#closed) this.#read.push(await this.#next(this.#reader, this.#lengths.shift()!));
      this.#reading = false;
      this.onReadable?.();
    });
  }

  async #next(reader: FileReader, length: number): Promise<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const part = await reader.read(length - at);
      if (part === undefined) throw new Error(`${this.#path} ends ${length - at} bytes early`);
      bytes.set(part, at);
      at += part.byteLength;
    }
    return bytes.buffer;
  }

  #then(work: () => Promise<void>): void {
    this.#last = this.#last.then(() => (this.#closed ? undefined : work())).catch((error: unknown) => {
      if (!this.#closed) this.#onFailure(error);
    });
  }
}
