import type { Api } from "./api.js";
import { readTopics, writeTopics, type PartitionError, type TopicOf } from "./topic-partitions.js";

export interface ProduceRequest {
  readonly transactionalId: string | null;
  /** -1: all replicas in sync; 1: the leader alone. */
  readonly acks: number;
  readonly timeoutMs: number;
  readonly topics: readonly TopicOf<{ readonly partition: number; readonly records: Uint8Array }>[];
}

export interface ProducedPartition extends PartitionError {
  /** Of the batch's first record; -1 when it is not known. */
  readonly baseOffset: bigint;
  readonly message: string | null;
}

/** Before version 12, which would add partitions to a transaction by itself (KIP-890): this client says that with a call of its own. */
export const Produce: Api<ProduceRequest, readonly TopicOf<ProducedPartition>[]> = {
  key: 0, name: "Produce", minVersion: 9, maxVersion: 11, flexible: true,
  encode(writer, { transactionalId, acks, timeoutMs, topics }) {
    writer.compactString(transactionalId).int16(acks).int32(timeoutMs);
    writeTopics(writer, topics, ({ partition, records }) => writer.int32(partition).compactBytes(records).tags());
    writer.tags();
  },
  decode(reader) {
    return readTopics(reader, () => {
      const partition = reader.int32();
      const errorCode = reader.int16();
      const baseOffset = reader.int64();
      reader.skip(16);
      reader.compactArray(() => {
        reader.int32();
        reader.compactNullableString();
        reader.tags();
      });
      const message = reader.compactNullableString();
      reader.tags();
      return { partition, errorCode, baseOffset, message };
    });
  },
};
