import type { Api } from "./api.js";
import { readTopics, writeTopics, type TopicOf } from "./topic-partitions.js";

export interface FetchPartition {
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly offset: bigint;
  readonly maxBytes: number;
}

export interface FetchRequest {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly readCommitted: boolean;
  readonly topics: readonly TopicOf<FetchPartition>[];
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: bigint;
  /** Where the oldest open transaction begins. */
  readonly lastStableOffset: bigint;
  readonly logStartOffset: bigint;
  /** All that touch the range of `records`, wherever their markers are. */
  readonly abortedTransactions: readonly AbortedTransaction[];
  /** Record batches as they lie in the log, the last one possibly cut; a view of the response. */
  readonly records: Buffer | null;
}

export interface FetchResponse {
  readonly errorCode: number;
  readonly topics: readonly TopicOf<FetchedPartition>[];
}

/** Without fetch sessions: every request names all its partitions. Version 12 is the last one that names topics and not their ids. */
export const Fetch: Api<FetchRequest, FetchResponse> = {
  key: 1, name: "Fetch", minVersion: 12, maxVersion: 12, flexible: true,
  encode(writer, { maxWaitMs, minBytes, maxBytes, readCommitted, topics }) {
    writer.int32(-1).int32(maxWaitMs).int32(minBytes).int32(maxBytes).int8(readCommitted ? 1 : 0).int32(0).int32(-1);
    writeTopics(writer, topics, ({ partition, leaderEpoch, offset, maxBytes: ofPartition }) => writer.int32(partition).int32(leaderEpoch).int64(offset).int32(-1).int64(-1n).int32(ofPartition).tags());
    writer.compactArray([], () => undefined).compactString("").tags();
  },
  decode(reader) {
    reader.int32();
    const errorCode = reader.int16();
    reader.int32();
    const topics = readTopics(reader, () => {
      const head = {
        partition: reader.int32(), errorCode: reader.int16(), highWatermark: reader.int64(), lastStableOffset: reader.int64(), logStartOffset: reader.int64(),
      };
      const abortedTransactions = reader.compactArray(() => {
        const transaction = { producerId: reader.int64(), firstOffset: reader.int64() };
        reader.tags();
        return transaction;
      });
      reader.int32();
      const records = reader.compactBytes();
      reader.tags();
      return { ...head, abortedTransactions, records };
    });
    return { errorCode, topics };
  },
};
