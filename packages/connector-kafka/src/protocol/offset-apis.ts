import type { Api } from "./api.js";
import { readPartitionError, readTopics, writeTopics, type PartitionError, type TopicOf } from "./topic-partitions.js";

/** -2 is the first offset, -1 the one after the last; else milliseconds: the first record of that time or later. */
export const EARLIEST_TIMESTAMP = -2n;
export const LATEST_TIMESTAMP = -1n;

export interface ListOffsetsRequest {
  readonly readCommitted: boolean;
  readonly topics: readonly TopicOf<{ readonly partition: number; readonly leaderEpoch: number; readonly timestamp: bigint }>[];
}

export interface ListedOffset {
  readonly partition: number;
  readonly errorCode: number;
  /** -1 when no record is that late. */
  readonly offset: bigint;
}

export const ListOffsets: Api<ListOffsetsRequest, readonly TopicOf<ListedOffset>[]> = {
  key: 2, name: "ListOffsets", minVersion: 6, maxVersion: 7, flexible: true,
  encode(writer, { readCommitted, topics }) {
    writer.int32(-1).int8(readCommitted ? 1 : 0);
    writeTopics(writer, topics, ({ partition, leaderEpoch, timestamp }) => writer.int32(partition).int32(leaderEpoch).int64(timestamp).tags());
    writer.tags();
  },
  decode(reader) {
    reader.int32();
    return readTopics(reader, () => {
      const partition = reader.int32();
      const errorCode = reader.int16();
      reader.int64();
      const offset = reader.int64();
      reader.int32();
      reader.tags();
      return { partition, errorCode, offset };
    });
  },
};

export interface OffsetFetchRequest {
  readonly groupId: string;
  readonly topics: readonly TopicOf<number>[];
}

export interface OffsetFetchResponse {
  readonly errorCode: number;
  /** Offset -1 where the group has committed none. */
  readonly topics: readonly TopicOf<ListedOffset>[];
}

export const OffsetFetch: Api<OffsetFetchRequest, OffsetFetchResponse> = {
  key: 9, name: "OffsetFetch", minVersion: 7, maxVersion: 7, flexible: true,
  encode(writer, { groupId, topics }) {
    writer.compactString(groupId);
    writeTopics(writer, topics, (partition) => writer.int32(partition));
    // Offsets whose transaction is open yet are waited for.
    writer.bool(true).tags();
  },
  decode(reader) {
    reader.int32();
    const topics = readTopics(reader, () => {
      const partition = reader.int32();
      const offset = reader.int64();
      reader.int32();
      reader.compactNullableString();
      const errorCode = reader.int16();
      reader.tags();
      return { partition, errorCode, offset };
    });
    return { errorCode: reader.int16(), topics };
  },
};

export interface OffsetCommitRequest {
  readonly groupId: string;
  readonly topics: readonly TopicOf<{ readonly partition: number; readonly offset: bigint }>[];
}

/** From outside of the group, as a client that assigns partitions to itself does. */
export const OffsetCommit: Api<OffsetCommitRequest, readonly TopicOf<PartitionError>[]> = {
  key: 8, name: "OffsetCommit", minVersion: 8, maxVersion: 8, flexible: true,
  encode(writer, { groupId, topics }) {
    writer.compactString(groupId).int32(-1).compactString("").compactString(null);
    writeTopics(writer, topics, ({ partition, offset }) => writer.int32(partition).int64(offset).int32(-1).compactString("").tags());
    writer.tags();
  },
  decode(reader) {
    reader.int32();
    return readTopics(reader, () => readPartitionError(reader));
  },
};
