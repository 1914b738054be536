import { invalidOption } from "@millrace/core";
import type { TopicPartition } from "./kafka-split.js";
import { splitIdOf } from "./kafka-split.js";

/** What to do where there is no such offset. */
export type OffsetReset = "earliest" | "latest" | "fail";

/** Where a partition begins or ends, before anybody has asked the brokers. */
export type OffsetSpec =
  | { readonly kind: "earliest" | "latest" }
  | { readonly kind: "timestamp"; readonly timestampMs: number }
  | { readonly kind: "committed"; readonly reset: OffsetReset }
  | { readonly kind: "offset"; readonly offset: number };

/** Where the partitions of a source begin, or end. Only asked for partitions that no checkpoint knows. Flink: OffsetsInitializer. */
export class OffsetsInitializer {
  readonly #specOf: (partition: TopicPartition) => OffsetSpec;
  /** Whether it needs `groupId`. */
  readonly usesGroup: boolean;

  private constructor(specOf: (partition: TopicPartition) => OffsetSpec, usesGroup: boolean = false) {
    this.#specOf = specOf;
    this.usesGroup = usesGroup;
  }

  /** The oldest record there is. */
  static earliest(): OffsetsInitializer {
    return new OffsetsInitializer(() => ({ kind: "earliest" }));
  }

  /** Behind the newest record: behind the newest committed one with `read_committed`. */
  static latest(): OffsetsInitializer {
    return new OffsetsInitializer(() => ({ kind: "latest" }));
  }

  /** The first record whose time stamp is not before `timestampMs`; where there is none, the end. */
  static timestamp(timestampMs: number): OffsetsInitializer {
    if (!Number.isSafeInteger(timestampMs) || timestampMs < 0) throw invalidOption("startingOffsets", `${timestampMs} is no time in milliseconds`);
    return new OffsetsInitializer(() => ({ kind: "timestamp", timestampMs }));
  }

  /** What the consumer group has committed. @param reset where it has committed nothing; default `"fail"` */
  static committedOffsets(reset: OffsetReset = "fail"): OffsetsInitializer {
    if (!["earliest", "latest", "fail"].includes(reset)) throw invalidOption("startingOffsets", `"${String(reset)}" is none of earliest, latest, fail`);
    return new OffsetsInitializer(() => ({ kind: "committed", reset }), true);
  }

  /** These offsets, by `topic-partition`. @param others where the partitions begin that are not named; default the oldest record */
  static offsets(offsets: Readonly<Record<string, number>>, others: OffsetsInitializer = OffsetsInitializer.earliest()): OffsetsInitializer {
    for (const [partition, offset] of Object.entries(offsets)) {
      if (!/.-\d+$/.test(partition)) throw invalidOption("startingOffsets", `"${partition}" is no topic-partition`, 'write it as "orders-0"');
      if (!Number.isSafeInteger(offset) || offset < 0) throw invalidOption("startingOffsets", `${offset} is no offset (for ${partition})`);
    }
    return new OffsetsInitializer((partition) => {
      const offset = offsets[splitIdOf(partition)];
      return offset === undefined ? others.specOf(partition) : { kind: "offset", offset };
    }, others.usesGroup);
  }

  /** @internal */
  specOf(partition: TopicPartition): OffsetSpec {
    return this.#specOf(partition);
  }
}
