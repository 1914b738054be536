import type { SourceSplit } from "@millrace/core";

/**
 * A range of a file that one reader reads: all records that start in [startByte, endByte).
 *
 * A record that starts before `endByte` is read to its end, and one that starts before `startByte` belongs to the split before. Compressed files and
 * formats that cannot be split have one split; for them `endByte` is only the size on disk.
 */
export interface FileSourceSplit extends SourceSplit {
  readonly path: string;
  readonly startByte: number;
  readonly endByte: number;
  /** Where to go on; absent before the first record. */
  readonly position?: FilePosition;
}

/** How far a split has been read: where to start again after a restore. */
export interface FilePosition {
  /** The (decompressed) offset where a record starts. */
  readonly byteOffset: number;
  /** Records (malformed ones included) behind it that have been emitted already. */
  readonly recordsToSkip: number;
}

/** Cuts a file into splits of about `splitSizeBytes`; the last one may be a tenth larger, rather than leave a crumb. */
export function splitsOf(path: string, sizeBytes: number, splitSizeBytes: number): FileSourceSplit[] {
  const splits: FileSourceSplit[] = [];
  let startByte = 0;
  while (startByte < sizeBytes) {
    const rest = sizeBytes - startByte;
    const endByte = rest <= splitSizeBytes * 1.1 ? sizeBytes : startByte + splitSizeBytes;
    splits.push({ splitId: `${path}:${startByte}-${endByte}`, path, startByte, endByte });
    startByte = endByte;
  }
  return splits;
}

const MIB = 1024 * 1024;
/** Where nobody says how large splits shall be. */
const LARGEST_SPLIT_BYTES = 64 * MIB;
const SMALLEST_SPLIT_BYTES = 8 * MIB;
const SPLITS_PER_READER = 8;

/** The size of splits of files that are all known: so many that readers end at about the same time, though some splits have more to read than others. */
export function evenSplitBytes(totalBytes: number, readers: number): number {
  return Math.min(LARGEST_SPLIT_BYTES, Math.max(SMALLEST_SPLIT_BYTES, Math.ceil(totalBytes / (readers * SPLITS_PER_READER))));
}
