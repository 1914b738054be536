import { Decoder, Encoder } from "@toondepauw/node-zstd";
import { compressFrameSync, decompressFrameSync } from "lz4-napi";
import { gunzipSync, gzipSync } from "node:zlib";
import { compressSync, uncompressSync } from "snappy";

/** How a producer compresses record batches. */
export type CompressionType = "none" | "gzip" | "snappy" | "lz4" | "zstd";

/** By their number in a batch's attributes. */
export const COMPRESSION_TYPES: readonly CompressionType[] = ["none", "gzip", "snappy", "lz4", "zstd"];

/** xerial's framing of snappy: this, two versions, then blocks with a length before each. Java producers write it, librdkafka too; other clients write one bare block. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER = 16;

let zstdEncoder: Encoder | undefined;
let zstdDecoder: Decoder | undefined;

export function compress(type: CompressionType, bytes: Buffer): Buffer {
  switch (type) {
    case "none": return bytes;
    case "gzip": return gzipSync(bytes);
    case "snappy": return xerialFrame(compressSync(bytes));
    case "lz4": return Buffer.from(compressFrameSync(bytes));
    case "zstd": return (zstdEncoder ??= new Encoder(3)).encodeSync(bytes);
  }
}

/** @throws what the library says about damaged bytes */
export function decompress(type: CompressionType, bytes: Buffer): Buffer {
  switch (type) {
    case "none": return bytes;
    case "gzip": return gunzipSync(bytes);
    case "snappy": return uncompressSnappy(bytes);
    case "lz4": return Buffer.from(decompressFrameSync(bytes));
    case "zstd": return (zstdDecoder ??= new Decoder()).decodeSync(bytes);
  }
}

function xerialFrame(block: Buffer): Buffer {
  const header = Buffer.alloc(XERIAL_HEADER + 4);
  XERIAL_MAGIC.copy(header);
  header.writeInt32BE(1, 8);
  header.writeInt32BE(1, 12);
  header.writeInt32BE(block.length, XERIAL_HEADER);
  return Buffer.concat([header, block]);
}

function uncompressSnappy(bytes: Buffer): Buffer {
  if (bytes.length < XERIAL_HEADER || XERIAL_MAGIC.compare(bytes, 0, XERIAL_MAGIC.length) !== 0) return uncompressSync(bytes) as Buffer;
  const blocks: Buffer[] = [];
  for (let i = XERIAL_HEADER; i < bytes.length; ) {
    const size = bytes.readInt32BE(i);
    if (size < 0 || i + 4 + size > bytes.length) throw new RangeError(`a snappy block of ${size} bytes in a batch of ${bytes.length}`);
    blocks.push(uncompressSync(bytes.subarray(i + 4, i + 4 + size)) as Buffer);
    i += 4 + size;
  }
  return Buffer.concat(blocks);
}
