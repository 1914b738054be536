import { createGunzip, createInflate } from "node:zlib";
import { MillraceError, isMillraceError } from "@millrace/core";
import type { FileReader, FileSystem } from "@millrace/core";
import { fileCorrupt } from "./file-corrupt.js";
import { ZstdReader } from "./zstd-reader.js";

/** How a file is compressed; found by its name unless given. */
export type Compression = "none" | "gzip" | "deflate" | "zstd";

const OUTPUT_BYTES = 256 * 1024;
const INPUT_BYTES = 128 * 1024;

const bySuffix: Readonly<Record<string, Compression>> = { gz: "gzip", gzip: "gzip", deflate: "deflate", zst: "zstd", zstd: "zstd" };
const unsupported: readonly string[] = ["bz2", "xz", "lz4", "snappy", "zip"];

/**
 * The compression a file name tells: `.gz`, `.gzip`, `.deflate` (zlib format), `.zst` or `.zstd`; anything else is not compressed.
 * @throws `FILE_COMPRESSION_UNSUPPORTED` for suffixes of other compressions, rather than read noise.
 */
export function compressionOf(path: string): Compression {
  const suffix = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  if (unsupported.includes(suffix)) {
    throw new MillraceError({
      code: "FILE_COMPRESSION_UNSUPPORTED", message: `"${path}" is compressed in a way that cannot be read here (.${suffix})`,
      hint: 'compress it with gzip or Zstandard, or say { compression: "none" } if it is not compressed', location: { file: path },
    });
  }
  return Object.hasOwn(bySuffix, suffix) ? bySuffix[suffix]! : "none";
}

/** Opens a file for reading at an offset of its decompressed content. Compressed files are read (and dropped) up to there. */
export async function openDecompressed(fs: FileSystem, path: string, compression: Compression, fromByte: number): Promise<FileReader> {
  if (compression === "none") return fs.read(path, fromByte);
  const source = await fs.read(path);
  const reader = compression === "zstd" ? new ZstdReader(source, path) : new InflatingReader(source, path, compression);
  try {
    let toDrop = fromByte;
    while (toDrop > 0) {
      const dropped = await reader.read(Math.min(toDrop, OUTPUT_BYTES));
      if (dropped === undefined) break;
      toDrop -= dropped.length;
    }
    return reader;
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** Streams a file of zlib's formats; zlib works in its own threads. Several gzip members in one file are read as one. */
class InflatingReader implements FileReader {
  readonly #source: FileReader;
  readonly #path: string;
  readonly #inflate: ReturnType<typeof createGunzip> | ReturnType<typeof createInflate>;
  readonly #output: AsyncIterator<Uint8Array>;
  readonly #pumping: Promise<void>;
  #rest: Uint8Array | undefined;

  constructor(source: FileReader, path: string, compression: "gzip" | "deflate") {
    this.#source = source;
    this.#path = path;
    this.#inflate = compression === "gzip" ? createGunzip({ chunkSize: OUTPUT_BYTES }) : createInflate({ chunkSize: OUTPUT_BYTES });
    // The iterator only listens once somebody reads; an error before that must not end the process.
    this.#inflate.on("error", () => undefined);
    this.#output = this.#inflate[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    this.#pumping = this.#pump();
  }

  async read(maxBytes: number): Promise<Uint8Array | undefined> {
    if (this.#rest === undefined) {
      try {
        const next = await this.#output.next();
        if (next.done === true) return undefined;
        this.#rest = next.value;
      } catch (error) {
        throw this.#readable(error);
      }
    }
    const bytes = this.#rest.subarray(0, maxBytes);
    this.#rest = bytes.length < this.#rest.length ? this.#rest.subarray(maxBytes) : undefined;
    return bytes;
  }

  async close(): Promise<void> {
    this.#inflate.destroy();
    await this.#pumping;
    await this.#source.close();
  }

  async #pump(): Promise<void> {
    const inflate = this.#inflate;
    try {
      for (;;) {
        const bytes = await this.#source.read(INPUT_BYTES);
        if (inflate.destroyed) return;
        if (bytes === undefined) break;
        await new Promise<void>((resolve) => {
          // A write that is pending when the stream is destroyed is only told so by the event.
          inflate.once("close", resolve);
          inflate.write(bytes, () => {
            inflate.off("close", resolve);
            resolve();
          });
        });
        if (inflate.destroyed) return;
      }
      inflate.end();
    } catch (error) {
      inflate.destroy(error as Error);
    }
  }

  #readable(error: unknown): unknown {
    const { code, message } = error as { code?: unknown; message?: unknown };
    if (isMillraceError(error) || typeof code !== "string" || !code.startsWith("Z_")) return error;
    return fileCorrupt(this.#path, String(message), error);
  }
}
