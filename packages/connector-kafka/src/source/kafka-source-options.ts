import { checkedBetween, checkedOneOf, duration, invalidOption } from "@millrace/core";
import type { DeserializationSchema, DurationLike } from "@millrace/core";
import { connectionSettings } from "../client/kafka-options.js";
import type { ConnectionSettings, KafkaConnectionOptions } from "../client/kafka-options.js";
import type { KafkaRecord } from "./kafka-record.js";
import type { TopicPartition } from "./kafka-split.js";
import { splitIdOf } from "./kafka-split.js";
import { OffsetsInitializer } from "./offsets-initializer.js";

/** What to read. Exactly one of `topics`, `topicPattern`, `partitions`. */
export interface KafkaSourceOptions<T> extends KafkaConnectionOptions {
  readonly topics?: string | readonly string[];
  /** All topics whose whole name matches, internal ones left out; new ones are found as new partitions are. */
  readonly topicPattern?: RegExp;
  readonly partitions?: readonly TopicPartition[];
  /** What the values are: records without a value (tombstones) are malformed then. Either this or `deserializer`. */
  readonly value?: DeserializationSchema<T>;
  /** Makes a record of key, value, headers and all. `undefined` leaves it out; what it throws makes the record a malformed one. */
  readonly deserializer?: (record: KafkaRecord) => T | undefined;
  /** The consumer group, for committed offsets. No group is joined: partitions are assigned by the job. */
  readonly groupId?: string;
  /** Where partitions begin that no checkpoint knows. Default: the oldest record. Partitions found while the job runs always begin with their oldest record. */
  readonly startingOffsets?: OffsetsInitializer;
  /** Makes the source bounded: each partition ends there, as seen when the job starts. */
  readonly stoppingOffsets?: OffsetsInitializer;
  /** Default `"read_committed"`: records of open and aborted transactions are not seen. */
  readonly isolationLevel?: "read_committed" | "read_uncommitted";
  /** How often new partitions (and topics of a pattern) are looked for; 0 never. Default 5 minutes; never for a bounded source. */
  readonly partitionDiscoveryInterval?: DurationLike;
  /** When the next record is gone because retention was faster than the job: default `"fail"` (`KAFKA_OFFSET_OUT_OF_RANGE`), since going on loses records. */
  readonly onOffsetOutOfRange?: "fail" | "earliest" | "latest";
  /** A record that cannot be deserialized fails the job (default), is counted and left out, or goes to the side output `malformed-kafka-records`. */
  readonly onError?: "fail" | "skip" | "side-output";
  /** Whether positions are committed to `groupId` when a checkpoint is complete, for others to watch; the job itself goes on from its checkpoints. Default: when there is a group. */
  readonly commitOffsetsOnCheckpoint?: boolean;
  /** The most that one request fetches of one partition. Default 1 MiB; a larger batch comes whole all the same. */
  readonly maxPartitionFetchBytes?: number;
  /** The most that one request fetches. Default 16 MiB. */
  readonly fetchMaxBytes?: number;
  /** How long a broker may wait for new records before it answers. Default 500 ms. */
  readonly fetchMaxWaitMs?: number;
}

/** Those options, checked and with all defaults. */
export interface KafkaSourceSettings<T> {
  readonly connection: ConnectionSettings;
  readonly topics: readonly string[] | undefined;
  readonly topicPattern: RegExp | undefined;
  readonly partitions: readonly TopicPartition[] | undefined;
  readonly value: DeserializationSchema<T> | undefined;
  readonly deserializer: ((record: KafkaRecord) => T | undefined) | undefined;
  readonly groupId: string | undefined;
  readonly startingOffsets: OffsetsInitializer;
  readonly stoppingOffsets: OffsetsInitializer | undefined;
  readonly readCommitted: boolean;
  /** 0: never. */
  readonly discoveryIntervalMs: number;
  readonly onOffsetOutOfRange: "fail" | "earliest" | "latest";
  readonly onError: "fail" | "skip" | "side-output";
  readonly commitOffsets: boolean;
  readonly maxPartitionFetchBytes: number;
  readonly fetchMaxBytes: number;
  readonly fetchMaxWaitMs: number;
}

const MIB = 1024 * 1024;

/** @throws `OPTION_INVALID`, `DURATION_INVALID` */
export function sourceSettings<T>(options: KafkaSourceOptions<T>): KafkaSourceSettings<T> {
  const connection = connectionSettings(options);
  const { topicPattern, partitions, value, deserializer, groupId } = options;
  const topics = typeof options.topics === "string" ? [options.topics] : options.topics;
  if ([topics, topicPattern, partitions].filter((given) => given !== undefined).length !== 1) throw invalidOption("topics", "exactly one of topics, topicPattern and partitions says what to read");
  if (topics?.length === 0 || partitions?.length === 0) throw invalidOption(topics === undefined ? "partitions" : "topics", "nothing is named");
  for (const topic of topics ?? []) if (topic === "") throw invalidOption("topics", "a topic has no name");
  for (const partition of partitions ?? []) if (!(Number.isSafeInteger(partition.partition) && partition.partition >= 0)) throw invalidOption("partitions", `${splitIdOf(partition)} is no partition`);
  if ((value === undefined) === (deserializer === undefined)) throw invalidOption("value", "either value or deserializer says what the records are", "for example value: JsonSchema.of<Order>()");
  const startingOffsets = options.startingOffsets ?? OffsetsInitializer.earliest();
  const commitOffsets = options.commitOffsetsOnCheckpoint ?? groupId !== undefined;
  if (groupId === undefined && (startingOffsets.usesGroup || options.stoppingOffsets?.usesGroup || commitOffsets)) throw invalidOption("groupId", "committed offsets need a group");
  const interval = options.partitionDiscoveryInterval ?? 300_000;
  return {
    connection, topics, topicPattern, partitions, value, deserializer, groupId, startingOffsets, commitOffsets,
    stoppingOffsets: options.stoppingOffsets,
    readCommitted: checkedOneOf("isolationLevel", options.isolationLevel ?? "read_committed", ["read_committed", "read_uncommitted"]) === "read_committed",
    discoveryIntervalMs: interval === 0 || options.stoppingOffsets !== undefined ? 0 : duration(interval),
    onOffsetOutOfRange: checkedOneOf("onOffsetOutOfRange", options.onOffsetOutOfRange ?? "fail", ["fail", "earliest", "latest"]),
    onError: checkedOneOf("onError", options.onError ?? "fail", ["fail", "skip", "side-output"]),
    maxPartitionFetchBytes: checkedBetween("maxPartitionFetchBytes", options.maxPartitionFetchBytes ?? MIB, 1, 256 * MIB),
    fetchMaxBytes: checkedBetween("fetchMaxBytes", options.fetchMaxBytes ?? 16 * MIB, 1, 256 * MIB),
    fetchMaxWaitMs: checkedBetween("fetchMaxWaitMs", options.fetchMaxWaitMs ?? 500, 0, 60_000),
  };
}
