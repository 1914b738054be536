import { MillraceError } from "@millrace/core";
import { partitionPath } from "../partition/hive-partition.js";
import { dateTimeFormatter } from "./date-time-format.js";

/** What a bucket assigner can ask about the record and the time. */
export interface BucketContext {
  readonly currentProcessingTimeMs: number;
  /** The record's event time, `undefined` when it has none. */
  readonly timestampMs: number | undefined;
  readonly currentWatermark: number;
}

/**
 * Says which bucket (sub-directory of the sink's path, `/` between levels) a record goes to; `""` is the path itself.
 *
 * Ids that would leave the path or hide files are refused with `BUCKET_INVALID`. Flink: BucketAssigner.
 */
export type BucketAssigner<T> = (value: T, context: BucketContext) => string;

/** How a time becomes the name of a bucket. */
export interface DateTimeBucketOptions {
  /** `yyyy`, `MM`, `dd`, `HH`, `mm`, `ss`, and other text in single quotes; `-`, `_`, `=`, `/` and blanks stand for themselves. Default `"yyyy-MM-dd--HH"`. */
  readonly format?: string;
  /** An IANA time zone. Default UTC, so that all machines agree. */
  readonly timeZone?: string;
}

/** The bucket assigners that come with the sink. */
export const BucketAssigners = {
  /** Everything in one directory. Flink: BasePathBucketAssigner. */
  basePath<T>(): BucketAssigner<T> {
    return () => "";
  },
  /** By the time at which the record is written. Flink: DateTimeBucketAssigner. @throws `OPTION_INVALID` for a bad format or zone. */
  dateTime<T>(options: DateTimeBucketOptions = {}): BucketAssigner<T> {
    const format = dateTimeFormatter(options.format ?? "yyyy-MM-dd--HH", options.timeZone);
    return (_value, context) => format(context.currentProcessingTimeMs);
  },
  /**
   * A directory for each value of the fields, from the outer to the inner, as Hive has it: `dt=2026-01-01/hour=5`. Null and empty values are in Hive's default
   * partition; a function gives other keys than the record has. Flink: partition keys of the filesystem connector.
   */
  hivePartitions<T>(keys: readonly (keyof T & string)[] | ((value: T) => Readonly<Record<string, unknown>>)): BucketAssigner<T> {
    if (typeof keys === "function") return (value) => partitionPath(keys(value));
    return (value) => partitionPath(Object.fromEntries(keys.map((key) => [key, value[key]])));
  },
  /** By event time: the record's time stamp, or what `timestampOf` reads from it. Records without one fail with `BUCKET_NO_TIMESTAMP`. */
  eventTime<T>(options: DateTimeBucketOptions & { readonly timestampOf?: (value: T) => number } = {}): BucketAssigner<T> {
    const format = dateTimeFormatter(options.format ?? "yyyy-MM-dd--HH", options.timeZone);
    const { timestampOf } = options;
    return (value, context) => {
      const timestampMs = timestampOf === undefined ? context.timestampMs : timestampOf(value);
      if (timestampMs !== undefined && Math.abs(timestampMs) <= 8.64e15) return format(timestampMs);
      throw new MillraceError({
        code: "BUCKET_NO_TIMESTAMP",
        message: timestampMs === undefined ? "a record without a time stamp came to a sink with buckets by event time" : `${timestampMs} is no time stamp for a bucket`,
        hint: "assign time stamps before the sink, or give the assigner timestampOf",
      });
    };
  },
} as const;

/** @throws `BUCKET_INVALID` for an id that is no plain relative path: the id comes from data, and must not reach other directories or hidden files. */
export function checkBucketId(bucketId: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (bucketId === "" || (/^[^\\\u0000-\u001f]+$/.test(bucketId) && bucketId.split("/").every((s) => s !== "" && !s.startsWith(".")))) return;
  throw new MillraceError({
    code: "BUCKET_INVALID", message: `${JSON.stringify(bucketId)} cannot be a bucket`,
    hint: "a bucket id is a relative path whose parts are not empty and do not begin with a dot (which would lead elsewhere, or hide the files)",
  });
}
