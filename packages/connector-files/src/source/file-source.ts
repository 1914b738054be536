import { duration } from "@millrace/core";
import type {
  Boundedness, BulkFormat, Duration, DurationLike, Source, SourceReader, SourceReaderContext, SplitEnumerator, SplitEnumeratorContext, TypeInformation,
} from "@millrace/core";
import { csvFormat } from "../format/csv-format.js";
import type { CsvOptions } from "../format/csv-format.js";
import type { CsvColumns, CsvRecord } from "../format/csv-columns.js";
import { jsonLinesFormat } from "../format/json-lines-format.js";
import type { JsonLinesOptions } from "../format/json-lines-format.js";
import { linesFormat } from "../format/lines-format.js";
import type { RecordFormat } from "../format/record-format.js";
import type { StandardSchema } from "../format/standard-schema.js";
import type { TextOptions } from "../format/text.js";
import { partitionOf, typeWithPartitions } from "../partition/hive-partition.js";
import type { PartitionKeys, PartitionValues } from "../partition/hive-partition.js";
import { PartitionedPoller } from "../partition/partitioned-poller.js";
import { discoverFiles, visibleFiles } from "../path/discover-files.js";
import { resolvePath } from "../path/resolve-path.js";
import type { PathLike } from "../path/resolve-path.js";
import { BulkSplitReader } from "./bulk-split-reader.js";
import { compressionOf } from "./compression.js";
import type { Compression } from "./compression.js";
import { FileEnumerator } from "./file-enumerator.js";
import type { FileEnumeratorState } from "./file-enumerator.js";
import { checkOptions } from "./file-source-options.js";
import type { BulkSourceOptions, FileSourceOptions } from "./file-source-options.js";
import { FileSourceReader } from "./file-source-reader.js";
import type { FileSourceSplit } from "./file-source-split.js";
import type { SplitPollerFactory } from "./split-poller.js";
import { SplitReader } from "./split-reader.js";
import type { SplitReading } from "./split-reader.js";

/** How directories become columns. */
interface Partitions {
  readonly keys: PartitionKeys;
  readonly filter: ((values: Record<string, unknown>) => boolean) | undefined;
}

/** One path or several: files, directories (read recursively), globs (`*`, `**`, `?`, `{a,b}`), `file:` URIs, `URL`s. */
export type Paths = PathLike | readonly PathLike[];

/**
 * Reads files: once, or for ever with {@link monitorContinuously}. Exactly once: a checkpoint holds every split's position.
 *
 * Paths are resolved when the source is made; the files are looked for when the job starts (`FILE_NOT_FOUND` then). Records carry no time stamps.
 * Files must not change after they were found. Errors while reading: `RECORD_MALFORMED`, `RECORD_TOO_LARGE`, `FILE_CORRUPT`, `FILE_TRUNCATED`,
 * `CSV_HEADER_MISMATCH`. Flink: FileSource.
 *
 * ```ts
 * const flights = FileSource.csv("data/flights-*.csv.gz", { columns: { carrier: "string", delay: "int?", at: "timestamp" } });
 * ```
 */
export class FileSource<T> implements Source<T, FileSourceSplit, FileEnumeratorState> {
  readonly boundedness: Boundedness;
  readonly description: string;
  /** The records' type, when the format knows it. */
  readonly producedType: TypeInformation<T> | undefined;
  readonly #format: RecordFormat<T> | BulkFormat<T>;
  readonly #paths: readonly string[];
  readonly #options: FileSourceOptions;
  readonly #intervalMs: Duration | undefined;
  readonly #partitions: Partitions | undefined;

  private constructor(format: RecordFormat<T> | BulkFormat<T>, paths: readonly string[], options: FileSourceOptions, intervalMs: Duration | undefined, partitions?: Partitions) {
    this.boundedness = intervalMs === undefined ? "bounded" : "continuous-unbounded";
    this.description = `${format.name} of ${paths.join(", ")}`;
    this.producedType = partitions === undefined ? format.producedType : typeWithPartitions(format.producedType, partitions.keys);
    this.#partitions = partitions;
    this.#format = format;
    this.#paths = paths;
    this.#options = options;
    this.#intervalMs = intervalMs;
  }

  /** Each line is a record. */
  static lines(paths: Paths, options: TextOptions & FileSourceOptions = {}): FileSource<string> {
    return FileSource.forRecordFormat(linesFormat(options), paths, options);
  }

  /** Each row is a record, typed by `columns`; without them all fields are strings, named by the header. See {@link csvFormat}. */
  static csv<const C extends CsvColumns, T = CsvRecord<C>>(
    paths: Paths,
    options: CsvOptions<C, T> & FileSourceOptions & { readonly columns: C },
  ): FileSource<T>;
  static csv<T = Record<string, string>>(paths: Paths, options?: CsvOptions<never, T> & FileSourceOptions & { readonly columns?: never }): FileSource<T>;
  static csv(paths: Paths, options: CsvOptions<CsvColumns, unknown> & FileSourceOptions = {}): FileSource<unknown> {
    return FileSource.forRecordFormat(csvFormat<CsvColumns, unknown>(options), paths, options);
  }

  /** Each line is a JSON value: of the type its validator gives, or the one you promise. */
  static jsonLines<T = unknown>(paths: Paths, options?: JsonLinesOptions<T> & FileSourceOptions & { readonly validate?: StandardSchema<T> }): FileSource<T> {
    return FileSource.forRecordFormat(jsonLinesFormat<T>(options ?? {}), paths, options);
  }

  /**
   * Any other format.
   * @throws `OPTION_INVALID` or `PATH_INVALID`.
   */
  static forRecordFormat<T>(format: RecordFormat<T>, paths: Paths, options: FileSourceOptions = {}): FileSource<T> {
    return FileSource.#of(format, paths, options);
  }

  /**
   * A format whose files are made of blocks, such as Parquet or Avro containers. Flink: FileSource.forBulkFileFormat.
   * @throws `OPTION_INVALID` or `PATH_INVALID`.
   */
  static forBulkFileFormat<T>(format: BulkFormat<T>, paths: Paths, options: BulkSourceOptions = {}): FileSource<T> {
    return FileSource.#of(format, paths, { ...options, compression: "none" });
  }

  static #of<T>(format: RecordFormat<T> | BulkFormat<T>, paths: Paths, options: FileSourceOptions): FileSource<T> {
    checkOptions(options);
    const list: readonly PathLike[] = typeof paths === "string" || "href" in paths ? [paths] : paths;
    return new FileSource(format, list.map((path) => resolvePath(path)), options, undefined);
  }

  /** Looks for new files every `interval`, without end. Each path is read once, so move finished files in; empty ones wait until they have content. */
  monitorContinuously(interval: DurationLike): FileSource<T> {
    return new FileSource(this.#format, this.#paths, this.#options, duration(interval), this.#partitions);
  }

  /**
   * Adds the values of Hive-style directories (`dt=2026-01-01/hour=5`) to each record, which must be an object. Partitions that `filter` refuses are not
   * looked into. Every file must be in a partition (`PARTITION_INVALID`). Flink: partition keys of the filesystem connector.
   */
  withPartitions<const K extends PartitionKeys>(this: FileSource<T & object>, keys: K, filter?: (values: PartitionValues<K>) => boolean): FileSource<T & PartitionValues<K>> {
    return new FileSource(this.#format as BulkFormat<any>, this.#paths, this.#options, this.#intervalMs, { keys, filter: filter as Partitions["filter"] });
  }

  createEnumerator(context: SplitEnumeratorContext<FileSourceSplit>, restored: FileEnumeratorState | undefined): SplitEnumerator<FileSourceSplit, FileEnumeratorState> {
    const { splitSizeBytes } = checkOptions(this.#options);
    const filter = this.#options.fileFilter ?? visibleFiles;
    const passes = (path: string): boolean => this.#passes(path);
    return new FileEnumerator(
      context,
      {
        intervalMs: this.#intervalMs,
        find: async (isFirst) => {
          const files = await discoverFiles(context.fs, this.#paths, filter, this.#intervalMs === undefined ? "all" : isFirst ? "paths" : "none", passes);
          // What is named itself, or by a glob, was not come to through its directory.
          return files.filter(({ path }) => passes(path));
        },
        splitSizeBytes,
        isSplit: (path) => this.#format.splittable && this.#compression(path) === "none",
      },
      restored,
    );
  }

  createReader(context: SourceReaderContext): SourceReader<T, FileSourceSplit> {
    const { onError, maxRecordBytes } = checkOptions(this.#options);
    const { fs } = context;
    const format = this.#format;
    if ("open" in format) return new FileSourceReader(context, this.#withPartition((split, wake) => new BulkSplitReader(split, fs, format, wake)));
    const reading: SplitReading<T> = {
      fs, format, onError, maxRecordBytes,
      compression: (path) => this.#compression(path),
      malformedCount: context.metrics.counter("numRecordsInErrors"),
    };
    return new FileSourceReader(context, this.#withPartition((split, wake) => new SplitReader(split, reading, wake)));
  }

  /** Whether a directory or file is, or may hold, what the partitions' filter lets through. */
  #passes(path: string): boolean {
    if (this.#partitions?.filter === undefined) return true;
    const values = partitionOf(path, this.#partitions.keys);
    return values === undefined || this.#partitions.filter(values as never);
  }

  #withPartition(create: SplitPollerFactory<T>): SplitPollerFactory<T> {
    if (this.#partitions === undefined) return create;
    const { keys } = this.#partitions;
    return (split, wake) => new PartitionedPoller(create(split, wake), keys);
  }

  #compression(path: string): Compression {
    const option = this.#options.compression ?? "auto";
    return option === "auto" ? compressionOf(path) : option;
  }
}
