import { gzip } from "node:zlib";
import { MillraceError } from "@millrace/core";

/** How the pieces of a part file are stored. Each is whole by itself, so that a part can be resumed at any checkpoint; readers take all of them as one file. */
export interface PartCompression {
  /** What is added to a part's name. */
  readonly suffix: string;
  compress(bytes: Uint8Array): Promise<Uint8Array>;
}

/** A member of a gzip file (RFC 1952), made in zlib's own threads. */
const gzipMembers: PartCompression = {
  suffix: ".gz",
  compress: (bytes) => new Promise((resolve, reject) => gzip(bytes, (error, result) => (error === null ? resolve(result) : reject(error)))),
};

/** The first bytes of a frame (RFC 8878). */
const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

/** A Zstandard frame, made in this thread: Node 20 has no such compressor. */
const zstdFrames: PartCompression = {
  suffix: ".zst",
  async compress(bytes) {
    const { Zstd } = await import("@hpcc-js/wasm-zstd");
    const frame = (await Zstd.load()).compress(bytes);
    // The library writes its errors to the console only.
    if (ZSTD_MAGIC.some((byte, i) => frame[i] !== byte)) throw new MillraceError({ code: "FILE_COMPRESSION_FAILED", message: `${bytes.length} bytes cannot be compressed with Zstandard` });
    return frame;
  },
};

/** By the names of the option `compression`. */
export const PART_COMPRESSIONS = { none: undefined, gzip: gzipMembers, zstd: zstdFrames } as const;
