import type { FileReader, FileSystem } from "@millrace/core";

const READ_BYTES = 256 * 1024;

/** A file's bytes from an offset on, taken from the front. */
export class FileBytes {
  readonly #reader: FileReader;
  #bytes: Buffer = Buffer.alloc(0);
  #offset: number;
  #ended: boolean = false;

  private constructor(reader: FileReader, offset: number) {
    this.#reader = reader;
    this.#offset = offset;
  }

  static async open(fs: FileSystem, path: string, fromByte: number): Promise<FileBytes> {
    return new FileBytes(await fs.read(path, fromByte), fromByte);
  }

  /** The offset in the file of the first byte held. */
  get offset(): number {
    return this.#offset;
  }

  /** What is held: views are valid until the next `fill`. */
  get held(): Buffer {
    return this.#bytes;
  }

  /** Reads until at least `length` bytes are held. False when the file ends before. */
  async fill(length: number): Promise<boolean> {
    if (this.#bytes.length >= length) return true;
    const parts: Uint8Array[] = [this.#bytes];
    let total = this.#bytes.length;
    while (total < length && !this.#ended) {
      const part = await this.#reader.read(Math.max(READ_BYTES, Math.min(length - total, 16 * READ_BYTES)));
      if (part === undefined) this.#ended = true;
      else {
        parts.push(part);
        total += part.length;
      }
    }
    this.#bytes = Buffer.concat(parts, total);
    return total >= length;
  }

  drop(length: number): void {
    this.#bytes = this.#bytes.subarray(length);
    this.#offset += length;
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}
