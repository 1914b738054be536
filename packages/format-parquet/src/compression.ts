import { brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { Decoder, Encoder } from "@toondepauw/node-zstd";
import { compressSync as lz4CompressSync, uncompressSync as lz4UncompressSync } from "lz4-napi";
import { compressSync, uncompressSync } from "snappy";
import type { CompressionCodec } from "hyparquet";

/** How pages are compressed when a file is written. */
export type ParquetCompression = "none" | "snappy" | "gzip" | "zstd" | "lz4";

export const CODECS: Readonly<Record<ParquetCompression, CompressionCodec>> = { none: "UNCOMPRESSED", snappy: "SNAPPY", gzip: "GZIP", zstd: "ZSTD", lz4: "LZ4_RAW" };

let zstdEncoder: Encoder | undefined;
let zstdDecoder: Decoder | undefined;

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

export const compressors: Partial<Record<CompressionCodec, (bytes: Uint8Array) => Uint8Array>> = {
  SNAPPY: (bytes) => compressSync(asBuffer(bytes)),
  GZIP: (bytes) => gzipSync(bytes),
  ZSTD: (bytes) => (zstdEncoder ??= new Encoder(3)).encodeSync(asBuffer(bytes)),
  // The library puts the length before the block.
  LZ4_RAW: (bytes) => lz4CompressSync(asBuffer(bytes)).subarray(4),
};

export const decompressors: Partial<Record<CompressionCodec, (bytes: Uint8Array, length: number) => Uint8Array>> = {
  SNAPPY: (bytes) => uncompressSync(asBuffer(bytes)) as Buffer,
  GZIP: (bytes) => gunzipSync(bytes),
  ZSTD: (bytes) => (zstdDecoder ??= new Decoder()).decodeSync(asBuffer(bytes)),
  BROTLI: (bytes) => brotliDecompressSync(bytes),
  LZ4_RAW: lz4Block,
  LZ4: (bytes, length) => hadoopBlocks(bytes, length) ?? lz4Block(bytes, length),
};

function lz4Block(bytes: Uint8Array, length: number): Uint8Array {
  if (length === 0) return new Uint8Array(0);
  const sized = Buffer.allocUnsafe(bytes.length + 4);
  sized.writeUInt32LE(length);
  sized.set(bytes, 4);
  return lz4UncompressSync(sized);
}

/** The old LZ4 codec is, by most writers, Hadoop's framing: blocks with both lengths before each. `undefined` for anything else. */
function hadoopBlocks(bytes: Uint8Array, length: number): Uint8Array | undefined {
  const input = asBuffer(bytes);
  const output = Buffer.allocUnsafe(length);
  let filled = 0;
  for (let i = 0; i < input.length; ) {
    if (i + 8 > input.length) return undefined;
    const size = input.readUInt32BE(i);
    const stored = input.readUInt32BE(i + 4);
    if (filled + size > length || i + 8 + stored > input.length) return undefined;
    try {
      output.set(lz4Block(input.subarray(i + 8, i + 8 + stored), size), filled);
    } catch {
      return undefined;
    }
    filled += size;
    i += 8 + stored;
  }
  return filled === length ? output : undefined;
}
