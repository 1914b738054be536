import type { KeyGroupOffset } from "../handles.js";

/** Blocks smaller than this are joined into chunks of {@link CHUNK_BYTES}; larger ones are chunks of their own. */
const SMALL_BLOCK_BYTES = 256 * 1024;
const CHUNK_BYTES = 1024 * 1024;

const NOTHING: Uint8Array = new Uint8Array(0);

/** Lays key groups out one behind the other and notes where each one is. */
export class ChunkAssembler {
  readonly chunks: Uint8Array[] = [];
  readonly keyGroups: KeyGroupOffset[] = [];
  totalBytes = 0;
  private open: Uint8Array = NOTHING;
  private used = 0;

  /** `common`: what belongs to no key group alone. */
  constructor(header: Uint8Array, common: readonly Uint8Array[] = []) {
    this.append(header);
    for (const block of common) this.append(block);
  }

  add(keyGroup: number, blocks: readonly Uint8Array[]): void {
    const offset = this.totalBytes;
    for (const block of blocks) this.append(block);
    if (this.totalBytes > offset) this.keyGroups.push({ keyGroup, offset, length: this.totalBytes - offset });
  }

  /** Ends the last chunk. */
  close(): void {
    if (this.used === 0) return;
    // Not copied: the rest of a chunk that is not full is seldom much, and goes with the snapshot.
    this.chunks.push(this.open.subarray(0, this.used));
    this.open = NOTHING;
    this.used = 0;
  }

  private append(block: Uint8Array): void {
    this.totalBytes += block.length;
    if (block.length >= SMALL_BLOCK_BYTES) {
      this.close();
      this.chunks.push(block);
      return;
    }
    if (this.used + block.length > this.open.length) {
      this.close();
      this.open = new Uint8Array(CHUNK_BYTES);
    }
    this.open.set(block, this.used);
    this.used += block.length;
  }
}
