import type { FileSystem } from "../env/file-system.js";
import type { TypeInformation } from "../types/type-information.js";

/**
 * How a file that is made of blocks (row groups, compressed blocks between sync markers) becomes records. Flink: BulkFormat.
 *
 * One format object serves all splits of a source; everything about one split lives in its reader.
 */
export interface BulkFormat<T> {
  /** Shown in plans and errors, e.g. `"Parquet"`. */
  readonly name: string;
  /** True when a file may be cut anywhere: each block belongs to the one split in whose range it begins. */
  readonly splittable: boolean;
  /** The type of the records, when the format knows it. */
  readonly producedType?: TypeInformation<T>;
  /** Called once per split and attempt. @throws `FILE_CORRUPT`, with file and offset, for what is no such file */
  open(split: BulkSplit): Promise<BulkReader<T>>;
}

/** What a reader is told about the range of the file it will read. */
export interface BulkSplit {
  readonly fs: FileSystem;
  readonly path: string;
  readonly sizeBytes: number;
  /** When the file was last written, where that is known: with path and size it tells one content from another. */
  readonly modifiedMs?: number | undefined;
  /** The reader gives the blocks that begin in [startByte, endByte), in order. */
  readonly startByte: number;
  readonly endByte: number;
  /** Where an earlier reader of the split stood: the {@link RecordBlock.startByte} of the first block to give. */
  readonly resumeAt: number | undefined;
}

/** Reads the blocks of one split. */
export interface BulkReader<T> {
  /** The next block, in memory; `undefined` behind the last. Not called again before it has settled. */
  next(): Promise<RecordBlock<T> | undefined>;
  close(): Promise<void>;
}

/** A block in memory. Its rows are numbered as they stand in the file, whether or not a filter leaves them out: positions in checkpoints count them. */
export interface RecordBlock<T> {
  readonly startByte: number;
  readonly rowCount: number;
  /** The records of rows [from, to): fewer where a filter leaves rows out. The array is the caller's. */
  records(from: number, to: number): T[];
}

/** Makes the writers of files that are written as a whole: nothing can go on with such a file after a failure. Flink: BulkWriter.Factory. */
export interface BulkWriterFactory<T> {
  /** Shown in plans and errors. */
  readonly name: string;
  /** The usual end of such files' names: `".parquet"`. */
  readonly suffix: string;
  createWriter(): BulkWriter<T>;
}

/** Writes one file into memory, from where its owner takes it piece by piece. Flink: BulkWriter. */
export interface BulkWriter<T> {
  /** @throws `RECORD_NOT_ENCODABLE` */
  addElement(value: T): void;
  /** How much {@link takeBytes} would give now. */
  readonly encodedBytes: number;
  /** That, and what waits to be encoded, as good as known. */
  readonly bufferedBytes: number;
  /** The encoded bytes since the last call, which are the caller's; empty when a block is not full yet. */
  takeBytes(): Uint8Array;
  /** The rest of the file. Nothing is called afterwards. */
  finish(): Uint8Array;
}
