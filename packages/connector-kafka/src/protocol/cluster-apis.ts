import type { Api } from "./api.js";

export interface VersionRange {
  readonly key: number;
  readonly min: number;
  readonly max: number;
}

/** Which versions of which calls a broker speaks. Its answer has the old header, so that any client can read it. */
export const ApiVersions: Api<void, { readonly errorCode: number; readonly ranges: readonly VersionRange[] }> = {
  key: 18, name: "ApiVersions", minVersion: 3, maxVersion: 3, flexible: true,
  encode(writer) {
    writer.compactString("millrace").compactString("1").tags();
  },
  decode(reader) {
    const errorCode = reader.int16();
    // A broker that does not know this version answers in version 0.
    if (errorCode !== 0) return { errorCode, ranges: [] };
    const ranges = reader.compactArray(() => {
      const range = { key: reader.int16(), min: reader.int16(), max: reader.int16() };
      reader.tags();
      return range;
    });
    return { errorCode, ranges };
  },
};

export interface BrokerAddress {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export interface PartitionMetadata {
  readonly errorCode: number;
  readonly partition: number;
  /** -1 while there is none. */
  readonly leader: number;
  readonly leaderEpoch: number;
}

export interface TopicMetadata {
  readonly errorCode: number;
  readonly name: string;
  readonly isInternal: boolean;
  readonly partitions: readonly PartitionMetadata[];
}

export interface MetadataResponse {
  readonly brokers: readonly BrokerAddress[];
  readonly clusterId: string | null;
  readonly topics: readonly TopicMetadata[];
}

const NO_TOPIC_ID = Buffer.alloc(16);

/** Brokers, topics and who leads their partitions. `null` asks for all topics. */
export const Metadata: Api<readonly string[] | null, MetadataResponse> = {
  key: 3, name: "Metadata", minVersion: 9, maxVersion: 12, flexible: true,
  encode(writer, topics, version) {
    writer.compactArray(topics, (topic) => {
      if (version >= 10) writer.raw(NO_TOPIC_ID);
      writer.compactString(topic).tags();
    });
    // Neither create topics nor list what one may do with them.
    writer.bool(false);
    if (version <= 10) writer.bool(false);
    writer.bool(false).tags();
  },
  decode(reader, version) {
    reader.int32();
    const brokers = reader.compactArray(() => {
      const broker = { id: reader.int32(), host: reader.compactString(), port: reader.int32() };
      reader.compactNullableString();
      reader.tags();
      return broker;
    });
    const clusterId = reader.compactNullableString();
    reader.int32();
    const topics = reader.compactArray(() => {
      const errorCode = reader.int16();
      const name = reader.compactNullableString() ?? "";
      if (version >= 10) reader.skip(16);
      const isInternal = reader.bool();
      const partitions = reader.compactArray(() => {
        const partition = { errorCode: reader.int16(), partition: reader.int32(), leader: reader.int32(), leaderEpoch: reader.int32() };
        for (let list = 0; list < 3; list++) reader.compactArray(() => reader.int32());
        reader.tags();
        return partition;
      });
      reader.int32();
      reader.tags();
      return { errorCode, name, isInternal, partitions };
    });
    return { brokers, clusterId, topics };
  },
};

export interface Coordinator {
  readonly errorCode: number;
  readonly message: string | null;
  readonly broker: BrokerAddress;
}

/** Which broker keeps a consumer group or a transactional id. */
export const FindCoordinator: Api<{ readonly kind: "group" | "transaction"; readonly key: string }, Coordinator> = {
  key: 10, name: "FindCoordinator", minVersion: 4, maxVersion: 6, flexible: true,
  encode(writer, { kind, key }) {
    writer.int8(kind === "group" ? 0 : 1).compactArray([key], (value) => writer.compactString(value)).tags();
  },
  decode(reader) {
    reader.int32();
    const [found] = reader.compactArray(() => {
      reader.compactString();
      const broker = { id: reader.int32(), host: reader.compactString(), port: reader.int32() };
      const errorCode = reader.int16();
      const message = reader.compactNullableString();
      reader.tags();
      return { errorCode, message, broker };
    });
    if (found === undefined) throw new RangeError("an answer without a coordinator");
    return found;
  },
};
