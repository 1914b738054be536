import { MillraceError, isMillraceError } from "@millrace/core";
import type { FileSystem } from "@millrace/core";
import { parquetMetadataAsync } from "hyparquet";
import type { AsyncBuffer, FileMetaData, ParquetParsers, RowGroup } from "hyparquet";

const FOOTER_BYTES = 8;
/** What is read of a file first; most footers are shorter. */
const TAIL_BYTES = 128 * 1024;
const MAGIC = "PAR1";

/** Keeps what the file says: no `Date`, which would lose digits, and text for nothing but text. */
export const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (millis) => Number(millis),
  timestampFromMicroseconds: (micros) => micros,
  timestampFromNanoseconds: (nanos) => nanos,
  dateFromDays: (days) => days,
  geometryFromBytes: (bytes) => bytes,
  geographyFromBytes: (bytes) => bytes,
};

/** A file for the library: any range of it. */
export function randomAccess(fs: FileSystem, path: string, sizeBytes: number): AsyncBuffer {
  return {
    byteLength: sizeBytes,
    async slice(start, end = sizeBytes) {
      if (start < 0 || end > sizeBytes || end < start) throw corrupt(path, Math.max(0, Math.min(start, sizeBytes)), `bytes ${start} to ${end} are asked for, and it has ${sizeBytes}`);
      const bytes = new Uint8Array(end - start);
      const reader = await fs.read(path, start);
      try {
        for (let at = 0; at < bytes.length; ) {
          const part = await reader.read(bytes.length - at);
          if (part === undefined) throw corrupt(path, start + at, `it ends there, and ${bytes.length - at} bytes more belong to it`);
          bytes.set(part, at);
          at += part.length;
        }
      } finally {
        await reader.close();
      }
      return bytes.buffer;
    },
  };
}

/** @throws `FILE_CORRUPT` for a file that is cut short, or none of Parquet */
export async function readMetadata(file: AsyncBuffer, path: string): Promise<FileMetaData> {
  const { byteLength } = file;
  const tailStart = Math.max(0, byteLength - TAIL_BYTES);
  if (byteLength < FOOTER_BYTES + MAGIC.length) throw corrupt(path, byteLength, "it ends before the footer of a Parquet file could begin");
  const tail = await file.slice(tailStart, byteLength);
  const footer = Buffer.from(tail, tail.byteLength - FOOTER_BYTES);
  const magic = footer.toString("latin1", 4);
  if (magic === "PARE") throw new MillraceError({ code: "FILE_COMPRESSION_UNSUPPORTED", message: `"${path}" is encrypted, which cannot be read here`, location: { file: path } });
  if (magic !== MAGIC) throw corrupt(path, byteLength - 4, `it does not end in "${MAGIC}": it was cut short, or is no Parquet file`);
  const length = footer.readUInt32LE(0);
  if (length > byteLength - FOOTER_BYTES - MAGIC.length) throw corrupt(path, byteLength - FOOTER_BYTES, `its footer of ${length} bytes is longer than the file`);
  try {
    const withTail: AsyncBuffer = { byteLength, slice: (start, end = byteLength) => (start < tailStart ? file.slice(start, end) : tail.slice(start - tailStart, end - tailStart)) };
    return await parquetMetadataAsync(withTail, { parsers, geoparquet: false, initialFetchSize: tail.byteLength });
  } catch (cause) {
    throw isMillraceError(cause) ? cause : corrupt(path, byteLength - FOOTER_BYTES - length, `its footer cannot be decoded: ${(cause as Error).message}`, cause);
  }
}

/** Where a row group begins. */
export function startOf({ columns }: RowGroup): number {
  let start = Number.POSITIVE_INFINITY;
  for (const { meta_data: data } of columns) {
    if (data === undefined) continue;
    const pages = Number(data.data_page_offset);
    const dictionary = Number(data.dictionary_page_offset ?? 0n);
    start = Math.min(start, dictionary > 0 ? Math.min(dictionary, pages) : pages);
  }
  return start;
}

/** The error for what is no (whole) Parquet file. */
export function corrupt(path: string, offset: number, why: string, cause?: unknown): MillraceError {
  return new MillraceError({
    code: "FILE_CORRUPT", message: `"${path}" cannot be read at byte ${offset}: ${why}`, hint: "the file is damaged, incomplete, or no Parquet file", location: { file: path }, cause,
  });
}
