import { checkedOneOf, duration, MillraceError } from "@millrace/core";
import type { BulkWriterFactory, Committer, DurationLike, Sink, SinkWriter, SinkWriterContext } from "@millrace/core";
import { resolvePath } from "../path/resolve-path.js";
import type { PathLike } from "../path/resolve-path.js";
import { BucketAssigners } from "./bucket-assigner.js";
import type { BucketAssigner } from "./bucket-assigner.js";
import { compactionSettings } from "./compaction/compaction-options.js";
import type { BulkCompactionOptions, CompactionOptions } from "./compaction/compaction-options.js";
import { concatCompactor, recordWiseCompactor } from "./compaction/file-compactor.js";
import type { FileCompactor } from "./compaction/file-compactor.js";
import type { Compaction } from "./compaction/part-compaction.js";
import { FileSinkCommitter } from "./file-sink-committer.js";
import type { FileSinkCommittable, FileSinkWriterState } from "./file-sink-state.js";
import { FileSinkWriter } from "./file-sink-writer.js";
import { PART_COMPRESSIONS } from "./part-compression.js";
import { bulkFormat, rowFormat } from "./part-content.js";
import type { PartFormat } from "./part-content.js";
import { checkPartName, sinkId } from "./part-names.js";
import { partitionCommitSettings } from "./partition-commit/partition-commit-options.js";
import type { PartitionCommitOptions, PartitionCommitSettings } from "./partition-commit/partition-commit-options.js";
import { PartitionCommitter } from "./partition-commit/partition-committer.js";
import { RollingPolicies } from "./rolling-policy.js";
import type { RollingPolicy } from "./rolling-policy.js";
import { csvEncoder, jsonLinesEncoder, linesEncoder } from "./row-encoder.js";
import type { CsvEncoderOptions, RowEncoder } from "./row-encoder.js";

/** How files are cut, named and written. All of it has defaults. */
export interface FileSinkOptions<T> {
  /** Default `BucketAssigners.dateTime()`: a directory per hour of processing time. */
  readonly bucketAssigner?: BucketAssigner<T>;
  /** Default `RollingPolicies.default()`: 128 MiB, 60 s old, or 60 s without a record. */
  readonly rollingPolicy?: RollingPolicy;
  /** How often age and inactivity are looked at. Default 60 s. */
  readonly bucketCheckInterval?: DurationLike;
  /** Default `"part"`. */
  readonly partPrefix?: string;
  /** Default by format (`""`, `".csv"`, `".jsonl"`); `.gz` or `.zst` is added when compressed. */
  readonly partSuffix?: string;
  /** Default `"none"`. */
  readonly compression?: "none" | "gzip" | "zstd";
  /** Merges the parts that checkpoints close into larger ones, in each subtask, before they are visible. Default: not. Flink: FileSink.enableCompact. */
  readonly compaction?: CompactionOptions;
  /** Marks buckets whose rows are all visible, by a file `_SUCCESS` or otherwise. Default: not. */
  readonly partitionCommit?: PartitionCommitOptions;
}

/** The same for formats that are written as a whole, and compress by themselves. */
export interface BulkSinkOptions<T> extends Omit<FileSinkOptions<T>, "compression" | "compaction"> {
  readonly compaction?: BulkCompactionOptions<T>;
}

/** The options of a sink with all defaults filled in. */
export interface FileSinkSettings<T> {
  readonly directory: string;
  readonly format: PartFormat<T>;
  readonly bucketAssigner: BucketAssigner<T>;
  readonly rollingPolicy: RollingPolicy;
  readonly bucketCheckIntervalMs: number;
  readonly prefix: string;
  readonly suffix: string;
  readonly compaction: Compaction | undefined;
  readonly partitionCommit: PartitionCommitSettings | undefined;
}

/**
 * Writes records to part files in buckets, exactly once: rows go to hidden `.part-….inprogress` files (in the sink's directory), a closed part gets its name
 * in its bucket by an atomic rename when the checkpoint that covers it is complete, or at the end of the input. Readers never see half a part.
 *
 * Nothing that is in the directory is ever deleted or replaced, but leftovers of this job's own failed attempts. Without checkpoints a restarted job
 * writes its parts again (at least once). Two jobs may write to the same directory. Flink: FileSink.
 *
 * ```ts
 * stream.sinkTo(FileSink.csv("out", { columns: ["carrier", "delay"], bucketAssigner: BucketAssigners.eventTime({ format: "yyyy-MM-dd" }) }));
 * ```
 */
export class FileSink<T> implements Sink<T, FileSinkCommittable, FileSinkWriterState> {
  readonly description: string;
  readonly #settings: FileSinkSettings<T>;

  private constructor(settings: FileSinkSettings<T>) {
    this.#settings = settings;
    this.description = `${settings.format.name} to ${settings.directory}`;
  }

  /** A line per record. */
  static lines<T = unknown>(path: PathLike, options: FileSinkOptions<T> = {}): FileSink<T> {
    return FileSink.forRowFormat(path, linesEncoder<T>(), options);
  }

  /** A CSV row per record. */
  static csv<T>(path: PathLike, options: CsvEncoderOptions<T> & FileSinkOptions<T>): FileSink<T> {
    return FileSink.forRowFormat(path, csvEncoder(options), { partSuffix: ".csv", ...options });
  }

  /** A JSON value per line. */
  static jsonLines<T = unknown>(path: PathLike, options: FileSinkOptions<T> = {}): FileSink<T> {
    return FileSink.forRowFormat(path, jsonLinesEncoder<T>(), { partSuffix: ".jsonl", ...options });
  }

  /**
   * Any encoder.
   * @throws `PATH_INVALID`, `OPTION_INVALID`, `DURATION_INVALID`.
   */
  static forRowFormat<T>(path: PathLike, encoder: RowEncoder<T>, options: FileSinkOptions<T> = {}): FileSink<T> {
    const { partSuffix = "", compression = "none" } = options;
    const compressed = PART_COMPRESSIONS[checkedOneOf("compression", compression, ["none", "gzip", "zstd"])];
    const { header = "" } = encoder;
    if (options.compaction !== undefined && compressed !== undefined && header !== "") {
      throw new MillraceError({ code: "OPTION_INVALID", message: "compressed files with a header cannot be merged", hint: "leave out the header, the compression, or the compaction", location: { option: "compaction" } });
    }
    return new FileSink(sinkSettings(path, rowFormat(encoder, compressed), { ...options, partSuffix: `${partSuffix}${compressed?.suffix ?? ""}` }, () => concatCompactor(header)));
  }

  /**
   * A format whose files are written as a whole, such as Parquet or Avro containers: every checkpoint closes the parts, whatever the rolling policy says.
   * @throws `PATH_INVALID`, `OPTION_INVALID`, `DURATION_INVALID`.
   */
  static forBulkFormat<T>(path: PathLike, factory: BulkWriterFactory<T>, options: BulkSinkOptions<T> = {}): FileSink<T> {
    return new FileSink(sinkSettings(path, bulkFormat(factory), { partSuffix: factory.suffix, ...options }, () => recordWiseCompactor(options.compaction!.format, factory)));
  }

  createWriter(context: SinkWriterContext): Promise<SinkWriter<T>> {
    return FileSinkWriter.open(context, this.#settings, []);
  }

  restoreWriter(context: SinkWriterContext, state: readonly FileSinkWriterState[]): Promise<SinkWriter<T>> {
    return FileSinkWriter.open(context, this.#settings, state);
  }

  createCommitter(context: SinkWriterContext): Committer<FileSinkCommittable> {
    const { directory, partitionCommit } = this.#settings;
    return new FileSinkCommitter(context.fs, partitionCommit === undefined ? undefined : new PartitionCommitter(context.fs, directory, sinkId(context), partitionCommit));
  }
}

function sinkSettings<T>(path: PathLike, format: PartFormat<T>, options: FileSinkOptions<T>, compactor: () => FileCompactor): FileSinkSettings<T> {
  const { partPrefix = "part", partSuffix = "" } = options;
  checkPartName("partPrefix", partPrefix);
  checkPartName("partSuffix", partSuffix);
  return {
    directory: resolvePath(path),
    format,
    bucketAssigner: options.bucketAssigner ?? BucketAssigners.dateTime<T>(),
    rollingPolicy: options.rollingPolicy ?? RollingPolicies.default(),
    bucketCheckIntervalMs: duration(options.bucketCheckInterval ?? 60_000),
    prefix: partPrefix,
    suffix: partSuffix,
    compaction: options.compaction === undefined ? undefined : { settings: compactionSettings(options.compaction), compactor: compactor() },
    partitionCommit: options.partitionCommit === undefined ? undefined : partitionCommitSettings(options.partitionCommit),
  };
}
