import type { FileSystem } from "@millrace/core";
import { openDecompressed } from "./compression.js";
import type { Compression } from "./compression.js";

const READ_BYTES = 1024 * 1024;

/** Newlines among the first `length` bytes of a file's (decompressed) content: only for error messages of splits that began in mid-file. */
export async function countNewlines(fs: FileSystem, path: string, compression: Compression, length: number): Promise<number> {
  const reader = await openDecompressed(fs, path, compression, 0);
  try {
    let lines = 0;
    for (let rest = length; rest > 0; ) {
      const bytes = await reader.read(Math.min(READ_BYTES, rest));
      if (bytes === undefined) break;
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
      rest -= bytes.length;
    }
    return lines;
  } finally {
    await reader.close();
  }
}
