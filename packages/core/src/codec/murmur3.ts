/** MurmurHash3 x86 32-bit (Austin Appleby, public domain), the hash behind key groups. Never change its results. */

export function mixBlock(hash: number, block: number): number {
  let k = Math.imul(block, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = hash ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

/** The last one to three bytes, little-endian; 0 changes nothing. */
export function mixTail(hash: number, tail: number): number {
  const k = Math.imul(tail, 0xcc9e2d51);
  return hash ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}

export function finalise(hash: number, lengthBytes: number): number {
  let h = hash ^ lengthBytes;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Hash of `bytes[from, to)`, as an int32. */
export function murmur3(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let hash = seed;
  let i = from;
  for (; i + 4 <= to; i += 4) hash = mixBlock(hash, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  let tail = 0;
  for (let shift = 0; i < to; i++, shift += 8) tail |= bytes[i]! << shift;
  return finalise(mixTail(hash, tail), to - from);
}
