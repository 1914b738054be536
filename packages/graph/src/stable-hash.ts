/**
 * MurmurHash3 (x64, 128 bits, seed 0) of a text's UTF-8 bytes, as 32 hex digits.
 *
 * The same in every process and version. Written in the byte order of Flink, so that an operator with a `uid` has the id it would have there.
 * Source: Austin Appleby's MurmurHash3_x64_128; Flink's StreamGraphHasherV2 for the byte order.
 */
export function stableHash(text: string): string {
  return stableHashOfBytes(utf8(text));
}

/** As {@link stableHash}, of raw bytes. */
export function stableHashOfBytes(bytes: readonly number[]): string {
  let h1 = 0n;
  let h2 = 0n;
  const blocks = Math.floor(bytes.length / 16);
  for (let block = 0; block < blocks; block++) {
    h1 ^= scramble1(read64(bytes, block * 16, 8));
    h1 = u64(u64(rotl(h1, 27n) + h2) * 5n + 0x52dce729n);
    h2 ^= scramble2(read64(bytes, block * 16 + 8, 8));
    h2 = u64(u64(rotl(h2, 31n) + h1) * 5n + 0x38495ab5n);
  }
  const tail = blocks * 16;
  h2 ^= scramble2(read64(bytes, tail + 8, 8));
  h1 ^= scramble1(read64(bytes, tail, 8));
  const length = BigInt(bytes.length);
  h1 = u64((h1 ^ length) + (h2 ^ length));
  h2 = u64((h2 ^ length) + h1);
  const mixed1 = mix(h1);
  const mixed2 = mix(h2);
  const first = u64(mixed1 + mixed2);
  return littleEndianHex(first) + littleEndianHex(u64(mixed2 + first));
}

const MASK = 0xffff_ffff_ffff_ffffn;
const C1 = 0x87c3_7b91_1142_53d5n;
const C2 = 0x4cf5_ad43_2745_937fn;

function u64(value: bigint): bigint {
  return value & MASK;
}

function rotl(value: bigint, by: bigint): bigint {
  return u64(value << by) | (value >> (64n - by));
}

function scramble1(k: bigint): bigint {
  return u64(rotl(u64(k * C1), 31n) * C2);
}

function scramble2(k: bigint): bigint {
  return u64(rotl(u64(k * C2), 33n) * C1);
}

function mix(value: bigint): bigint {
  let k = value ^ (value >> 33n);
  k = u64(k * 0xff51_afd7_ed55_8ccdn);
  k ^= k >> 33n;
  k = u64(k * 0xc4ce_b9fe_1a85_ec53n);
  return k ^ (k >> 33n);
}

/** Up to `count` bytes, little endian; bytes past the end count as zero. */
function read64(bytes: readonly number[], at: number, count: number): bigint {
  let low = 0;
  let high = 0;
  for (let i = Math.min(count, bytes.length - at) - 1; i >= 0; i--) {
    if (i >= 4) high = high * 256 + bytes[at + i]!;
    else low = low * 256 + bytes[at + i]!;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}

function littleEndianHex(value: bigint): string {
  let hex = "";
  for (let i = 0n; i < 8n; i++) hex += ((value >> (i * 8n)) & 0xffn).toString(16).padStart(2, "0");
  return hex;
}

/** UTF-8 without the platform's TextEncoder; a lone surrogate becomes three bytes of its own, so that different texts stay different. */
function utf8(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return bytes;
}
