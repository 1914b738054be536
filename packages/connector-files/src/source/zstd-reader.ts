import { Decompress } from "fzstd";
import xxhash from "xxhash-wasm";
import type { XXHash, XXHashAPI } from "xxhash-wasm";
import type { FileReader } from "@millrace/core";
import { fileCorrupt } from "./file-corrupt.js";
import { ZstdFrame } from "./zstd-frame.js";

const INPUT_BYTES = 128 * 1024;

/** Compiled when the first frame with a checksum is met. */
let hashes: Promise<XXHashAPI> | undefined;

/**
 * Streams a file of Zstandard frames, in this thread: Node 20 has no such decompressor. Several frames in one file are read as one.
 *
 * Length and checksum of a frame are verified, where it has them, when it ends; its content has been read by then.
 */
export class ZstdReader implements FileReader {
  readonly #source: FileReader;
  readonly #path: string;
  readonly #blocks: Uint8Array[] = [];
  #frame: ZstdFrame = new ZstdFrame();
  #decompress: Decompress = this.#decompressor();
  #hash: XXHash<bigint> | undefined;
  /** Of the frame's content. */
  #contentBytes: number = 0;
  #frameNumber: number = 1;
  #frameStartByte: number = 0;
  #hasEnded: boolean = false;

  constructor(source: FileReader, path: string) {
    this.#source = source;
    this.#path = path;
  }

  async read(maxBytes: number): Promise<Uint8Array | undefined> {
    while (this.#blocks.length === 0 && !this.#hasEnded) {
      const bytes = await this.#source.read(INPUT_BYTES);
      try {
        if (bytes === undefined) this.#end();
        // A copy: the decompressor keeps what it cannot use yet, and the bytes are valid until the next read only.
        else await this.#push(bytes.slice());
      } catch (error) {
        throw fileCorrupt(this.#path, `frame ${this.#frameNumber}, which begins at byte ${this.#frameStartByte}: ${(error as Error).message}`, error);
      }
    }
    const [block] = this.#blocks;
    if (block === undefined) return undefined;
    if (block.length <= maxBytes) this.#blocks.shift();
    else this.#blocks[0] = block.subarray(maxBytes);
    return block.subarray(0, maxBytes);
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  #decompressor(): Decompress {
    return new Decompress((block) => {
      if (block.length === 0) return;
      this.#contentBytes += block.length;
      this.#hash?.update(block);
      this.#blocks.push(block);
    });
  }

  async #push(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const frame = this.#frame;
      const to = frame.advance(bytes, from);
      if (frame.hasChecksum) this.#hash ??= (await (hashes ??= xxhash())).create64();
      this.#decompress.push(bytes.subarray(from, to), frame.isComplete);
      if (frame.isComplete) this.#endFrame(frame);
      from = to;
    }
  }

  #endFrame(frame: ZstdFrame): void {
    if (frame.contentBytes !== undefined && frame.contentBytes !== this.#contentBytes) throw new Error(`its content has ${this.#contentBytes} bytes instead of ${frame.contentBytes}`);
    if (this.#hash !== undefined && Number(this.#hash.digest() & 0xffffffffn) !== frame.checksum) throw new Error("its content does not have the checksum it should");
    this.#frameStartByte += frame.sizeBytes;
    this.#frameNumber++;
    this.#contentBytes = 0;
    this.#hash = undefined;
    this.#frame = new ZstdFrame();
    this.#decompress = this.#decompressor();
  }

  /** An empty file is one of no records. */
  #end(): void {
    this.#hasEnded = true;
    if (this.#frame.sizeBytes > 0) throw new Error("the file ends in the middle of it");
  }
}
