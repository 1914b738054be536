import { duration } from "@millrace/core";
import type { BulkWriterFactory, Committer, DurationLike, Sink, SinkWriter, SinkWriterContext } from "@millrace/core";
import { resolvePath } from "../path/resolve-path.js";
import type { PathLike } from "../path/resolve-path.js";
import { BucketAssigners } from "./bucket-assigner.js";
import type { BucketAssigner } from "./bucket-assigner.js";
import { FileSinkCommitter } from "./file-sink-committer.js";
import type { FileSinkCommittable, FileSinkWriterState } from "./file-sink-state.js";
import { FileSinkWriter } from "./file-sink-writer.js";
import { bulkFormat, rowFormat } from "./part-content.js";
import type { PartFormat } from "./part-content.js";
import { checkPartName } from "./part-names.js";
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
  /** Default by format (`""`, `".csv"`, `".jsonl"`); `.gz` is added when compressed. */
  readonly partSuffix?: string;
  /** Default `"none"`. */
  readonly compression?: "none" | "gzip";
}

/** The same for formats that are written as a whole, and compress by themselves. */
export type BulkSinkOptions<T> = Omit<FileSinkOptions<T>, "compression">;

/** The options of a sink with all defaults filled in. */
export interface FileSinkSettings<T> {
  readonly directory: string;
  readonly format: PartFormat<T>;
  readonly bucketAssigner: BucketAssigner<T>;
  readonly rollingPolicy: RollingPolicy;
  readonly bucketCheckIntervalMs: number;
  readonly prefix: string;
  readonly suffix: string;
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
    const isCompressed = compression === "gzip";
    return new FileSink(sinkSettings(path, rowFormat(encoder, isCompressed), { ...options, partSuffix: isCompressed ? `${partSuffix}.gz` : partSuffix }));
  }

  /**
   * A format whose files are written as a whole, such as Parquet or Avro containers: every checkpoint closes the parts, whatever the rolling policy says.
   * @throws `PATH_INVALID`, `OPTION_INVALID`, `DURATION_INVALID`.
   */
  static forBulkFormat<T>(path: PathLike, factory: BulkWriterFactory<T>, options: BulkSinkOptions<T> = {}): FileSink<T> {
    return new FileSink(sinkSettings(path, bulkFormat(factory), { partSuffix: factory.suffix, ...options }));
  }

  createWriter(context: SinkWriterContext): Promise<SinkWriter<T>> {
    return FileSinkWriter.open(context, this.#settings, []);
  }

  restoreWriter(context: SinkWriterContext, state: readonly FileSinkWriterState[]): Promise<SinkWriter<T>> {
    return FileSinkWriter.open(context, this.#settings, state);
  }

  createCommitter(context: SinkWriterContext): Committer<FileSinkCommittable> {
    return new FileSinkCommitter(context.fs);
  }
}

function sinkSettings<T>(path: PathLike, format: PartFormat<T>, options: FileSinkOptions<T>): FileSinkSettings<T> {
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
  };
}
