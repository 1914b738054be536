import { Decompress } from "fzstd";
import type { FileReader } from "@millrace/core";
import { fileCorrupt } from "./file-corrupt.js";

const INPUT_BYTES = 128 * 1024;

/** Streams a file of Zstandard frames, in this thread: Node 20 has no such decompressor. Several frames in one file are read as one. */
export class ZstdReader implements FileReader {
  readonly #source: FileReader;
  readonly #path: string;
  readonly #blocks: Uint8Array[] = [];
  readonly #decompress = new Decompress((block) => void (block.length > 0 && this.#blocks.push(block)));
  #hasBegun: boolean = false;
  #hasEnded: boolean = false;

  constructor(source: FileReader, path: string) {
    this.#source = source;
    this.#path = path;
  }

  async read(maxBytes: number): Promise<Uint8Array | undefined> {
    while (this.#blocks.length === 0 && !this.#hasEnded) this.#push(await this.#source.read(INPUT_BYTES));
    const [block] = this.#blocks;
    if (block === undefined) return undefined;
    if (block.length <= maxBytes) this.#blocks.shift();
    else this.#blocks[0] = block.subarray(maxBytes);
    return block.subarray(0, maxBytes);
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  #push(bytes: Uint8Array | undefined): void {
    this.#hasEnded = bytes === undefined;
    // An empty file is one of no records.
    if (this.#hasEnded && !this.#hasBegun) return;
    this.#hasBegun = true;
    try {
      // A copy: the decompressor keeps what it cannot use yet, and the bytes are valid until the next read only.
      this.#decompress.push(bytes === undefined ? new Uint8Array(0) : bytes.slice(), this.#hasEnded);
    } catch (error) {
      throw fileCorrupt(this.#path, (error as Error).message, error);
    }
  }
}
