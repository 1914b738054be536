import { MillraceError } from "@millrace/core";
import type { FileFilter } from "../path/discover-files.js";
import type { Compression } from "./compression.js";

/** What happens to a record that cannot be read: the job fails (default), it is counted and left out, or it goes to the side output `malformed-records`. */
export type OnMalformed = "fail" | "skip" | "side-output";

/** What a file source reads, whether it keeps looking for new files, and what becomes of records that cannot be read. */
export interface FileSourceOptions {
  /** Default `"fail"`: bad input never passes unseen. `numRecordsInErrors` counts in every case. */
  readonly onError?: OnMalformed;
  /** Larger files are read in pieces of this size, by several readers, when their format allows. Default: an eighth of a reader's share, from 8 to 64 MiB. */
  readonly splitSizeBytes?: number;
  /** A longer record fails the job with `RECORD_TOO_LARGE`. Default 16 MiB. */
  readonly maxRecordBytes?: number;
  /** Default `"auto"`: by suffix (`.gz`, `.gzip`, `.deflate`, `.zst`, `.zstd`). Compressed files are not split. */
  readonly compression?: "auto" | Compression;
  /** Which files of a directory are read. Default: all whose names start with neither `.` nor `_`. */
  readonly fileFilter?: FileFilter;
}

/** The same for formats of blocks: what is damaged there fails the job, and blocks are compressed by the format. */
export type BulkSourceOptions = Omit<FileSourceOptions, "onError" | "maxRecordBytes" | "compression">;

const MIB = 1024 * 1024;

/** @throws `OPTION_INVALID` */
export function checkOptions(options: FileSourceOptions): { readonly onError: OnMalformed; readonly splitSizeBytes: number | undefined; readonly maxRecordBytes: number } {
  const onError = options.onError ?? "fail";
  if (!["fail", "skip", "side-output"].includes(onError)) throw invalid("onError", `"${String(onError)}" is none of fail, skip, side-output`);
  return {
    onError,
    splitSizeBytes: options.splitSizeBytes === undefined ? undefined : positive("splitSizeBytes", options.splitSizeBytes),
    maxRecordBytes: positive("maxRecordBytes", options.maxRecordBytes ?? 16 * MIB),
  };
}

function positive(option: string, value: number): number {
  // One above the limit of a V8 string: a record must fit into one.
  if (Number.isSafeInteger(value) && value > 0 && (option !== "maxRecordBytes" || value < 2 ** 29)) return value;
  throw invalid(option, `${option} is ${value}, which is no usable number of bytes`);
}

function invalid(option: string, message: string): MillraceError {
  return new MillraceError({ code: "OPTION_INVALID", message, location: { option } });
}
