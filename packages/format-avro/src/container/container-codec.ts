import { deflateRawSync, inflateRawSync } from "node:zlib";
import { Decoder, Encoder } from "@toondepauw/node-zstd";
import { compressSync, uncompressSync } from "snappy";

/** How the blocks of a container file are compressed. */
export type AvroCodec = "null" | "deflate" | "snappy" | "zstandard";

/** All of them, by their names in files. */
export const AVRO_CODECS: readonly AvroCodec[] = ["null", "deflate", "snappy", "zstandard"];

const CHECKSUM_BYTES = 4;

let zstdEncoder: Encoder | undefined;
let zstdDecoder: Decoder | undefined;

export function compressBlock(codec: AvroCodec, bytes: Buffer): Buffer {
  switch (codec) {
    case "null": return bytes;
    case "deflate": return deflateRawSync(bytes);
    case "zstandard": return (zstdEncoder ??= new Encoder(3)).encodeSync(bytes);
    case "snappy": {
      const checksum = Buffer.alloc(CHECKSUM_BYTES);
      checksum.writeUInt32BE(crc32(bytes));
      return Buffer.concat([compressSync(bytes), checksum]);
    }
  }
}

/** @throws what the library says about damaged bytes, or that the checksum (snappy's only) is wrong */
export function decompressBlock(codec: AvroCodec, bytes: Buffer): Buffer {
  switch (codec) {
    case "null": return bytes;
    case "deflate": return inflateRawSync(bytes);
    case "zstandard": return (zstdDecoder ??= new Decoder()).decodeSync(bytes);
    case "snappy": {
      if (bytes.length < CHECKSUM_BYTES) throw new Error("a snappy block without a checksum");
      const end = bytes.length - CHECKSUM_BYTES;
      const content = uncompressSync(bytes.subarray(0, end)) as Buffer;
      if (crc32(content) !== bytes.readUInt32BE(end)) throw new Error("the checksum of a snappy block is wrong");
      return content;
    }
  }
}

const table = new Int32Array(256).map((_, i) => {
  let c = i;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

/** The CRC of zlib, which Node 20 does not offer. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}
