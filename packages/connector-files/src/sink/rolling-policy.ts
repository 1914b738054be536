import { duration, MillraceError } from "@millrace/core";
import type { DurationLike } from "@millrace/core";

/** What a policy may know of the part file being written. */
export interface PartFileInfo {
  readonly bucketId: string;
  /** Bytes written and buffered, as good as known. */
  readonly sizeBytes: number;
  readonly createdMs: number;
  readonly lastUpdateMs: number;
}

/** When a part file is closed and a new one begun. A closed one becomes visible with the next completed checkpoint. Flink: RollingPolicy. */
export interface RollingPolicy {
  /** Asked before each record. */
  shouldRollOnEvent(part: PartFileInfo): boolean;
  /** Asked at every checkpoint. */
  shouldRollOnCheckpoint(part: PartFileInfo): boolean;
  /** Asked every `bucketCheckInterval`. */
  shouldRollOnProcessingTime(part: PartFileInfo, nowMs: number): boolean;
}

/** When the default policy closes a part file. */
export interface DefaultRollingPolicyOptions {
  /** Default 128 MiB. */
  readonly maxPartSizeBytes?: number;
  /** Age at which a part is closed. Default 60 s. */
  readonly rolloverInterval?: DurationLike;
  /** Time without a record after which a part is closed. Default 60 s. */
  readonly inactivityInterval?: DurationLike;
  /** Close at every checkpoint, too: results are visible after it, in more and smaller files. Default false, as in Flink. */
  readonly rollOnCheckpoint?: boolean;
}

const MIB = 1024 * 1024;

/** The rolling policies that come with the sink. */
export const RollingPolicies = {
  /** By size, age and inactivity; at a checkpoint only parts that are full. Flink: DefaultRollingPolicy. @throws `OPTION_INVALID`, `DURATION_INVALID`. */
  default(options: DefaultRollingPolicyOptions = {}): RollingPolicy {
    const maxBytes = options.maxPartSizeBytes ?? 128 * MIB;
    if (!(maxBytes > 0)) throw new MillraceError({ code: "OPTION_INVALID", message: `maxPartSizeBytes is ${maxBytes}`, location: { option: "maxPartSizeBytes" } });
    const maxAgeMs = duration(options.rolloverInterval ?? 60_000);
    const maxIdleMs = duration(options.inactivityInterval ?? 60_000);
    const always = options.rollOnCheckpoint ?? false;
    return {
      shouldRollOnEvent: (part) => part.sizeBytes > maxBytes,
      shouldRollOnCheckpoint: (part) => always || part.sizeBytes > maxBytes,
      shouldRollOnProcessingTime: (part, nowMs) => nowMs - part.createdMs >= maxAgeMs || nowMs - part.lastUpdateMs >= maxIdleMs,
    };
  },
  /** At every checkpoint and never else. Flink: OnCheckpointRollingPolicy. */
  onCheckpoint(): RollingPolicy {
    return { shouldRollOnEvent: () => false, shouldRollOnCheckpoint: () => true, shouldRollOnProcessingTime: () => false };
  },
} as const;
