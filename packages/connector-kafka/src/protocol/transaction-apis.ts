import type { Api } from "./api.js";
import { readPartitionError, readTopics, writeTopics, type PartitionError, type TopicOf } from "./topic-partitions.js";

export interface InitProducerIdRequest {
  /** `null`: a producer that is idempotent only. */
  readonly transactionalId: string | null;
  readonly transactionTimeoutMs: number;
}

export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** Gives a producer its identity, aborts what its transactional id has left open, and shuts out those who had it before. */
export const InitProducerId: Api<InitProducerIdRequest, ProducerIdentity & { readonly errorCode: number }> = {
  key: 22, name: "InitProducerId", minVersion: 3, maxVersion: 5, flexible: true,
  encode(writer, { transactionalId, transactionTimeoutMs }) {
    writer.compactString(transactionalId).int32(transactionTimeoutMs).int64(-1n).int16(-1).tags();
  },
  decode(reader) {
    reader.int32();
    return { errorCode: reader.int16(), producerId: reader.int64(), producerEpoch: reader.int16() };
  },
};

export interface AddPartitionsToTxnRequest extends ProducerIdentity {
  readonly transactionalId: string;
  readonly topics: readonly TopicOf<number>[];
}

/** Version 3 is the last one for clients. */
export const AddPartitionsToTxn: Api<AddPartitionsToTxnRequest, readonly TopicOf<PartitionError>[]> = {
  key: 24, name: "AddPartitionsToTxn", minVersion: 3, maxVersion: 3, flexible: true,
  encode(writer, { transactionalId, producerId, producerEpoch, topics }) {
    writer.compactString(transactionalId).int64(producerId).int16(producerEpoch);
    writeTopics(writer, topics, (partition) => writer.int32(partition));
    writer.tags();
  },
  decode(reader) {
    reader.int32();
    return readTopics(reader, () => readPartitionError(reader));
  },
};

export interface EndTxnRequest extends ProducerIdentity {
  readonly transactionalId: string;
  readonly commit: boolean;
}

/** Before version 5, which would give the producer a new epoch (KIP-890) that a process that only commits has no use for. */
export const EndTxn: Api<EndTxnRequest, number> = {
  key: 26, name: "EndTxn", minVersion: 3, maxVersion: 4, flexible: true,
  encode(writer, { transactionalId, producerId, producerEpoch, commit }) {
    writer.compactString(transactionalId).int64(producerId).int16(producerEpoch).bool(commit).tags();
  },
  decode(reader) {
    reader.int32();
    return reader.int16();
  },
};

export interface TransactionDescription extends ProducerIdentity {
  readonly errorCode: number;
  readonly transactionalId: string;
  readonly state: string;
}

export const DescribeTransactions: Api<readonly string[], readonly TransactionDescription[]> = {
  key: 65, name: "DescribeTransactions", minVersion: 0, maxVersion: 0, flexible: true,
  encode(writer, transactionalIds) {
    writer.compactArray(transactionalIds, (id) => writer.compactString(id)).tags();
  },
  decode(reader) {
    reader.int32();
    return reader.compactArray(() => {
      const errorCode = reader.int16();
      const transactionalId = reader.compactString();
      const state = reader.compactString();
      reader.skip(12);
      const producerId = reader.int64();
      const producerEpoch = reader.int16();
      reader.compactArray(() => {
        reader.compactString();
        reader.compactArray(() => reader.int32());
        reader.tags();
      });
      reader.tags();
      return { errorCode, transactionalId, state, producerId, producerEpoch };
    });
  },
};

export interface ListedTransaction {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly state: string;
}

/** All transactional ids that one broker coordinates, or those in some states. */
export const ListTransactions: Api<readonly string[], { readonly errorCode: number; readonly transactions: readonly ListedTransaction[] }> = {
  key: 66, name: "ListTransactions", minVersion: 0, maxVersion: 0, flexible: true,
  encode(writer, states) {
    writer.compactArray(states, (state) => writer.compactString(state)).compactArray([], () => undefined).tags();
  },
  decode(reader) {
    reader.int32();
    const errorCode = reader.int16();
    reader.compactArray(() => reader.compactString());
    const transactions = reader.compactArray(() => {
      const transaction = { transactionalId: reader.compactString(), producerId: reader.int64(), state: reader.compactString() };
      reader.tags();
      return transaction;
    });
    return { errorCode, transactions };
  },
};
