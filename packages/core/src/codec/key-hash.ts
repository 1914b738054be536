import { ByteWriter } from "./byte-writer.js";
import { checkFinite, KEY_DOUBLE, KEY_INT, KEY_LATIN1, KEY_UTF16, writeKey } from "./key-codec.js";
import { finalise, mixBlock, mixTail, murmur3 } from "./murmur3.js";

let scratch = new ByteWriter(256);
const doubleBits = new Float64Array(1);
const intBits = new Int32Array(doubleBits.buffer);
const MAX_KEPT_BYTES = 1 << 16;

/**
 * The hash that decides a key's group: MurmurHash3 (x86, 32 bits) of the encoded key without its first byte, which is the seed. An int32.
 *
 * The same in every process and version. An invalid key is `KEY_INVALID` (see {@link writeKey}). Strings and numbers allocate nothing.
 */
export function keyHash(key: unknown): number {
  if (typeof key === "string") return stringHash(key);
  if (typeof key === "number") return numberHash(key);
  return structureHash(key);
}

function numberHash(key: number): number {
  const int = key | 0;
  if (int === key) return finalise(mixBlock(KEY_INT, int), 4);
  checkFinite(key);
  doubleBits[0] = key;
  return finalise(mixBlock(mixBlock(KEY_DOUBLE, intBits[0]!), intBits[1]!), 8);
}

function stringHash(key: string): number {
  const length = key.length;
  let hash = KEY_LATIN1;
  let all = 0;
  let i = 0;
  for (const blocks = length & ~3; i < blocks; i += 4) {
    const a = key.charCodeAt(i);
    const b = key.charCodeAt(i + 1);
    const c = key.charCodeAt(i + 2);
    const d = key.charCodeAt(i + 3);
    all |= a | b | c | d;
    hash = mixBlock(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let shift = 0; i < length; i++, shift += 8) {
    const unit = key.charCodeAt(i);
    all |= unit;
    tail |= unit << shift;
  }
  return all > 0xff ? wideHash(key) : finalise(mixTail(hash, tail), length);
}

function wideHash(key: string): number {
  const length = key.length;
  let hash = KEY_UTF16;
  let i = 0;
  for (; i + 2 <= length; i += 2) hash = mixBlock(hash, key.charCodeAt(i) | (key.charCodeAt(i + 1) << 16));
  return finalise(mixTail(hash, i < length ? key.charCodeAt(i) : 0), length * 2);
}

function structureHash(key: unknown): number {
  scratch.clear();
  writeKey(scratch, key);
  const hash = murmur3(scratch.bytes, 1, scratch.position, scratch.bytes[0]!);
  if (scratch.bytes.length > MAX_KEPT_BYTES) scratch = new ByteWriter(256);
  return hash;
}

/** Throws `KEY_INVALID`, saying why, unless `key` can be a key. */
export function checkKey(key: unknown): void {
  keyHash(key);
}
