import type { KeyGroupOffset } from "../handles.js";

/** Blocks smaller than this are joined into chunks of {@link CHUNK_BYTES}; larger ones are chunks of their own. */
const SMALL_BLOCK_BYTES = 8 * 1024;
const CHUNK_BYTES = 256 * 1024;

/** Lays key groups out one behind the other and notes where each one is. */
export class ChunkAssembler {
  readonly chunks: Uint8Array[] = [];
  readonly keyGroups: KeyGroupOffset[] = [];
  totalBytes = 0;
  private open: Uint8Array = new Uint8Array(CHUNK_BYTES);
  private used = 0;

  constructor(header: Uint8Array) {
    this.append(header);
  }

  add(keyGroup: number, blocks: readonly Uint8Array[]): void {
    const offset = this.totalBytes;
    for (const block of blocks) this.append(block);
    if (this.totalBytes > offset) this.keyGroups.push({ keyGroup, offset, length: this.totalBytes - offset });
  }

  /** Ends the last chunk. */
  close(): void {
    if (this.used === 0) return;
    this.chunks.push(this.open.slice(0, this.used));
    this.used = 0;
  }

  private append(block: Uint8Array): void {
    this.totalBytes += block.length;
    if (block.length >= SMALL_BLOCK_BYTES) {
      this.close();
      this.chunks.push(block);
      return;
    }
    if (this.used + block.length > this.open.length) this.close();
    this.open.set(block, this.used);
    this.used += block.length;
  }
}
