import type { SourceSplit } from "@millrace/core";

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A partition as a reader reads it: where to go on and, for a bounded source, where to stop. */
export interface KafkaSplit extends SourceSplit, TopicPartition {
  /** The next record to emit. */
  readonly offset: number;
  /** The first record that is not emitted any more; `null` never stops. */
  readonly stoppingOffset: number | null;
}

/** `topic-partition`, as Kafka writes it. */
export function splitIdOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

/** The subtask that reads a partition: partitions of one topic go round, each topic begins elsewhere, and everybody counts alike. */
export function ownerOf({ topic, partition }: TopicPartition, parallelism: number): number {
  let hash = 0;
  for (let i = 0; i < topic.length; i++) hash = (Math.imul(hash, 31) + topic.charCodeAt(i)) | 0;
  return ((Math.imul(hash, 31) & 0x7fffffff) + partition) % parallelism;
}
