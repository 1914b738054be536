import { MillraceError, OutputTag } from "@millrace/core";
import type { RecordHeader } from "../records/record-batch-builder.js";
import type { RecordCursor } from "../records/record-cursor.js";
import type { TopicPartition } from "./kafka-split.js";

/** A record as Kafka has it. Key and value are views of what was fetched: copy what you keep, or much more stays in memory. */
export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The producer's time or the broker's, as the topic is set up; -1 when there is none. */
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  /** `null` is a tombstone. */
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** A record that could not be deserialized, and why. */
export interface MalformedKafkaRecord extends KafkaRecord {
  readonly message: string;
}

/** The side output of a source with `onError: "side-output"`. */
export const MALFORMED_KAFKA_RECORDS: OutputTag<MalformedKafkaRecord> = new OutputTag<MalformedKafkaRecord>("malformed-kafka-records");

/** The record a cursor stands on. */
export function recordAt({ topic, partition }: TopicPartition, cursor: RecordCursor): KafkaRecord {
  const { bytes, offset, timestampMs } = cursor;
  const headers: RecordHeader[] = [];
  if (cursor.headerCount > 0) cursor.forEachHeader((key, value) => headers.push({ key, value }));
  return {
    topic, partition, offset, timestampMs, headers,
    key: cursor.keyStart < 0 ? null : bytes.subarray(cursor.keyStart, cursor.keyEnd),
    value: cursor.valueStart < 0 ? null : bytes.subarray(cursor.valueStart, cursor.valueEnd),
  };
}

/** The error of a record that could not be deserialized: `KAFKA_RECORD_MALFORMED`. */
export function malformedRecord({ topic, partition }: TopicPartition, offset: number, format: string, cause: unknown): MillraceError {
  return new MillraceError({
    code: "KAFKA_RECORD_MALFORMED", message: `the record at offset ${offset} of ${topic}-${partition} is no ${format}: ${(cause as Error).message}`, cause,
    hint: 'correct the producer, or choose onError: "skip" or onError: "side-output"',
  });
}
