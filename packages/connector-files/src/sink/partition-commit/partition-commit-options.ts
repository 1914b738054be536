import { duration, MillraceError } from "@millrace/core";
import type { DurationLike, FileSystem } from "@millrace/core";
import { partitionTexts } from "../../partition/hive-partition.js";

/** A partition whose rows are all visible. */
export interface CommittedPartition {
  /** The bucket: `dt=2026-01-01/hour=5`. */
  readonly bucketId: string;
  /** Its keys and their texts. */
  readonly values: Readonly<Record<string, string>>;
  /** Its directory. */
  readonly path: string;
}

/** What is done for a partition that is complete. May be called again for the same one: when rows came late, or after a failure. Flink: PartitionCommitPolicy. */
export type PartitionCommitPolicy = "success-file" | ((partition: CommittedPartition, fs: FileSystem) => void | Promise<void>);

/** When a partition counts as complete, and what happens then. Flink: sink.partition-commit.* */
export interface PartitionCommitOptions {
  /**
   * Default `"process-time"`: the time since the partition's first row was written. `"partition-time"`: the watermark has passed the partition's own time, as
   * `partitionTime` reads it from the keys.
   */
  readonly trigger?: "process-time" | "partition-time";
  /** Default 0. For partitions by hour, say an hour. */
  readonly delay?: DurationLike;
  /** Epoch milliseconds of a partition's start. Default: from the key `dt`, `date` or `day` (`yyyy-MM-dd` or `yyyyMMdd`) and, if it is there, `hour` or `hr`, in UTC. */
  readonly partitionTime?: (values: Readonly<Record<string, string>>) => number;
  /** Default `"success-file"`: an empty file `_SUCCESS`. */
  readonly policies?: readonly PartitionCommitPolicy[];
  /** Default `"_SUCCESS"`. */
  readonly successFileName?: string;
}

/** Those options, checked and with all defaults. */
export interface PartitionCommitSettings {
  readonly trigger: "process-time" | "partition-time";
  /** When a partition is complete, by the clock of the trigger. */
  readonly dueMs: (bucketId: string, createdMs: number) => number;
  readonly policies: readonly PartitionCommitPolicy[];
  readonly successFileName: string;
}

/** @throws `OPTION_INVALID`, `DURATION_INVALID` */
export function partitionCommitSettings(options: PartitionCommitOptions): PartitionCommitSettings {
  const { trigger = "process-time", policies = ["success-file"], successFileName = "_SUCCESS", partitionTime = timeOf } = options;
  if (trigger !== "process-time" && trigger !== "partition-time") throw invalid(`the trigger "${String(trigger)}" is none of process-time, partition-time`);
  if (!/^[^/\\]+$/.test(successFileName)) throw invalid(`${JSON.stringify(successFileName)} cannot be a file's name`);
  const delayMs = options.delay === undefined || options.delay === 0 ? 0 : duration(options.delay);
  return {
    trigger, policies, successFileName,
    dueMs: (bucketId, createdMs) => {
      if (trigger === "process-time") return createdMs + delayMs;
      const startMs = partitionTime(valuesOf(bucketId));
      if (Number.isFinite(startMs)) return startMs + delayMs;
      throw new MillraceError({ code: "PARTITION_INVALID", message: `the partition "${bucketId}" has no time`, hint: "give partitionCommit a partitionTime that reads it from the keys" });
    },
  };
}

/** The keys of a bucket and their texts. */
export function valuesOf(bucketId: string): Record<string, string> {
  return Object.fromEntries(partitionTexts(bucketId));
}

function timeOf(values: Readonly<Record<string, string>>): number {
  const day = /^(\d{4})-?(\d\d)-?(\d\d)$/.exec(values["dt"] ?? values["date"] ?? values["day"] ?? "");
  const hour = Number(values["hour"] ?? values["hr"] ?? 0);
  return day === null ? Number.NaN : Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3]), hour);
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: "OPTION_INVALID", message, location: { option: "partitionCommit" } });
}
