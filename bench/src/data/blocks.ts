/** What `exchange-bytes` sends: blocks of bytes, byte j of block b is b + j. */
export const BLOCK_BYTES: number = 32 * 1024;
const blocks: readonly Uint8Array[] = Array.from({ length: 16 }, (_, b) => Uint8Array.from({ length: BLOCK_BYTES }, (_, j) => b + j));

export function block(index: number): Uint8Array {
  return blocks[index & 15]!;
}
