import type { WireReader } from "./wire-reader.js";
import type { WireWriter } from "./wire-writer.js";

export interface TopicOf<P> {
  readonly topic: string;
  readonly partitions: readonly P[];
}

/** What became of a partition. */
export interface PartitionError {
  readonly partition: number;
  readonly errorCode: number;
}

/** Topics with something for each partition, as most requests have them. */
export function writeTopics<P>(writer: WireWriter, topics: readonly TopicOf<P>[], writePartition: (partition: P) => void): void {
  writer.compactArray(topics, ({ topic, partitions }) => {
    writer.compactString(topic).compactArray(partitions, writePartition).tags();
  });
}

/** The same in answers. */
export function readTopics<P>(reader: WireReader, readPartition: () => P): TopicOf<P>[] {
  return reader.compactArray(() => {
    const topic = reader.compactString();
    const partitions = reader.compactArray(readPartition);
    reader.tags();
    return { topic, partitions };
  });
}

export function readPartitionError(reader: WireReader): PartitionError {
  const partition = { partition: reader.int32(), errorCode: reader.int16() };
  reader.tags();
  return partition;
}

/** Requests name each topic once. */
export function byTopic<P extends { readonly topic: string }, R>(partitions: readonly P[], map: (partition: P) => R): TopicOf<R>[] {
  const topics = new Map<string, R[]>();
  for (const partition of partitions) {
    const list = topics.get(partition.topic);
    if (list === undefined) topics.set(partition.topic, [map(partition)]);
    else list.push(map(partition));
  }
  return [...topics].map(([topic, list]) => ({ topic, partitions: list }));
}
