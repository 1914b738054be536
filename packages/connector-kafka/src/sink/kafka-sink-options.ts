import { checkedBetween, checkedOneOf, invalidOption, MillraceError } from "@millrace/core";
import type { SerializationSchema, SinkWriteContext } from "@millrace/core";
import { connectionSettings } from "../client/kafka-options.js";
import type { ConnectionSettings, KafkaConnectionOptions } from "../client/kafka-options.js";
import type { ProducerSettings } from "../client/kafka-producer.js";
import { COMPRESSION_TYPES } from "../records/compression.js";
import type { CompressionType } from "../records/compression.js";
import type { RecordHeader } from "../records/record-batch-builder.js";

/** What becomes of a record when something fails. */
export type DeliveryGuarantee = "exactly-once" | "at-least-once" | "none";

/** What to write where, and how safely. */
export interface KafkaSinkOptions<T> extends KafkaConnectionOptions {
  /** The topic, or the one of each record. Topics must exist. */
  readonly topic: string | ((value: T) => string);
  /** `null` from a function writes a tombstone: with `key`, that deletes the key from a compacted topic. */
  readonly value: SerializationSchema<T> | ((value: T) => Uint8Array | string | null);
  readonly key?: SerializationSchema<T> | ((value: T) => Uint8Array | string | null);
  readonly headers?: (value: T) => Readonly<Record<string, string | Uint8Array | null>>;
  /** Milliseconds. Default: the record's event time; without one, the time of writing. */
  readonly timestampMs?: (value: T, context: SinkWriteContext) => number;
  /** From 0 to `partitions` - 1. Default: by the hash of the key as Kafka's other clients have it; without a key, one partition after the other. */
  readonly partition?: (value: T, key: Uint8Array | null, partitions: number) => number;
  /**
   * Default `"at-least-once"`: a checkpoint waits until everything before it is written. `"exactly-once"` writes in transactions that are committed when the
   * checkpoint is complete; readers need `read_committed` and see records one checkpoint later. `"none"` loses what was on its way when the job fails.
   */
  readonly deliveryGuarantee?: DeliveryGuarantee;
  /** For exactly-once: begins the transactional ids. Must differ between all jobs that write to one Kafka cluster, and stay the same for one job. */
  readonly transactionalIdPrefix?: string;
  /** For exactly-once: must be longer than the longest outage between a checkpoint and its commit, and at most the brokers' `transaction.max.timeout.ms`. Default 15 minutes, which is theirs. */
  readonly transactionTimeoutMs?: number;
  /**
   * What to do when Kafka has aborted a transaction of a complete checkpoint, for then its records are lost, or when it can no longer be said whether it has.
   * Default `"fail"`; `"warn"` goes on.
   */
  readonly onTransactionLost?: "fail" | "warn";
  /** Default `"none"`. */
  readonly compression?: CompressionType;
  /** The most that one batch holds, before compression. Default 256 KiB; at most the brokers' `message.max.bytes`. */
  readonly batchSizeBytes?: number;
  /** Records that wait for brokers, in bytes; beyond it the sink takes no more. Default 32 MiB. */
  readonly bufferMemoryBytes?: number;
  /** How long a batch is tried to be written before the job fails. Default 2 minutes. */
  readonly deliveryTimeoutMs?: number;
}

/** What to upsert where: the key says which row a record is of, and which partition it goes to. */
export interface KafkaUpsertOptions<T> extends Omit<KafkaSinkOptions<T>, "key" | "partition"> {
  /** Never `null`. */
  readonly key: SerializationSchema<T> | ((value: T) => Uint8Array | string);
  /** Records that delete the row of their key instead of replacing it. Default: none; those whose `value` gives `null` do, too. */
  readonly deletes?: (value: T) => boolean;
}

/** Those options, checked and with all defaults. */
export interface KafkaSinkSettings<T> {
  readonly connection: ConnectionSettings;
  readonly topic: string | ((value: T) => string);
  readonly value: (value: T) => Uint8Array | null;
  readonly key: ((value: T) => Uint8Array | null) | undefined;
  readonly headers: ((value: T) => readonly RecordHeader[]) | undefined;
  readonly timestampMs: ((value: T, context: SinkWriteContext) => number) | undefined;
  readonly partition: ((value: T, key: Uint8Array | null, partitions: number) => number) | undefined;
  readonly deliveryGuarantee: DeliveryGuarantee;
  readonly transactionalIdPrefix: string;
  readonly transactionTimeoutMs: number;
  readonly onTransactionLost: "fail" | "warn";
  readonly producer: ProducerSettings;
  /** Opens the formats of value and key. */
  readonly openFormats: () => Promise<void>;
}

const MAX_INT32 = 0x7fffffff;

/** @throws `OPTION_INVALID` */
export function sinkSettings<T>(options: KafkaSinkOptions<T>): KafkaSinkSettings<T> {
  const connection = connectionSettings(options);
  const { topic, value, key, headers, timestampMs, partition, transactionalIdPrefix = "" } = options;
  if (topic === "") throw invalidOption("topic", "it has no name");
  const deliveryGuarantee = checkedOneOf("deliveryGuarantee", options.deliveryGuarantee ?? "at-least-once", ["exactly-once", "at-least-once", "none"]);
  if (deliveryGuarantee === "exactly-once" && transactionalIdPrefix === "") {
    throw invalidOption("transactionalIdPrefix", "exactly-once needs one", "choose a name that no other job writing to these brokers has");
  }
  const compression = checkedOneOf("compression", options.compression ?? "none", COMPRESSION_TYPES);
  return {
    connection, topic, timestampMs, partition, deliveryGuarantee, transactionalIdPrefix,
    value: bytesOf(value), key: key === undefined ? undefined : bytesOf(key),
    headers: headers === undefined ? undefined : (record) => Object.entries(headers(record)).map(([name, content]) => ({ key: name, value: typeof content === "string" ? Buffer.from(content) : content })),
    transactionTimeoutMs: checkedBetween("transactionTimeoutMs", options.transactionTimeoutMs ?? 900_000, 1, MAX_INT32),
    onTransactionLost: options.onTransactionLost ?? "fail",
    openFormats: async () => {
      for (const form of [value, key]) if (typeof form === "object") await form.open?.();
    },
    producer: {
      compression,
      batchSizeBytes: checkedBetween("batchSizeBytes", options.batchSizeBytes ?? 256 * 1024, 1, MAX_INT32),
      bufferMemoryBytes: checkedBetween("bufferMemoryBytes", options.bufferMemoryBytes ?? 32 * 1024 * 1024, 1, MAX_INT32),
      deliveryTimeoutMs: checkedBetween("deliveryTimeoutMs", options.deliveryTimeoutMs ?? 120_000, 1, MAX_INT32),
    },
  };
}

/** @throws `OPTION_INVALID` */
export function upsertSettings<T>({ deletes, ...options }: KafkaUpsertOptions<T>): KafkaSinkSettings<T> {
  const settings = sinkSettings<T>(options);
  const { key, value } = settings;
  if (key === undefined) throw invalidOption("key", "upserts need one", "give the function that says which row a record is of");
  if (settings.deliveryGuarantee === "none") throw invalidOption("deliveryGuarantee", "a lost upsert leaves the table wrong for ever", 'leave it at "at-least-once"');
  return {
    ...settings,
    key: (record) => {
      const bytes = key(record);
      if (bytes === null) throw new MillraceError({ code: "KAFKA_RECORD_UNSERIALIZABLE", message: "an upsert has no key", location: { option: "key" } });
      return bytes;
    },
    value: (record) => (deletes?.(record) === true ? null : value(record)),
  };
}

function bytesOf<T>(form: SerializationSchema<T> | ((value: T) => Uint8Array | string | null)): (value: T) => Uint8Array | null {
  if (typeof form !== "function") return (value) => form.serialize(value);
  return (value) => {
    const content = form(value);
    return typeof content === "string" ? Buffer.from(content) : content;
  };
}
