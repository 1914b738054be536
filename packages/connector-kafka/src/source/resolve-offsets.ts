import { MillraceError } from "@millrace/core";
import type { KafkaClient } from "../client/kafka-client.js";
import { TransientKafkaError, answerError } from "../client/kafka-error.js";
import { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP, ListOffsets, OffsetFetch } from "../protocol/offset-apis.js";
import { byTopic } from "../protocol/topic-partitions.js";
import type { TopicPartition } from "./kafka-split.js";
import { splitIdOf } from "./kafka-split.js";
import type { OffsetsInitializer, OffsetSpec } from "./offsets-initializer.js";

export interface OffsetContext {
  readonly client: KafkaClient;
  readonly groupId: string | undefined;
  readonly readCommitted: boolean;
}

/**
 * Asks the brokers where partitions begin or end. Leaders must be known.
 * @throws `KAFKA_OFFSET_UNKNOWN` where the group has committed nothing; transient errors, to be tried again
 */
export async function resolveOffsets(context: OffsetContext, partitions: readonly TopicPartition[], initializer: OffsetsInitializer): Promise<Map<string, number>> {
  const resolved = new Map<string, number>();
  const asked: { readonly partition: TopicPartition; readonly timestamp: bigint }[] = [];
  const specs = partitions.map((partition) => ({ partition, spec: initializer.specOf(partition) }));
  const committed = await committedOffsets(context, specs.filter(({ spec }) => spec.kind === "committed").map(({ partition }) => partition));
  for (const { partition, spec } of specs) {
    const offset = spec.kind === "offset" ? spec.offset : committed.get(splitIdOf(partition));
    if (offset === undefined) asked.push({ partition, timestamp: timestampOf(spec, partition, context.groupId) });
    else resolved.set(splitIdOf(partition), offset);
  }
  const found = await listOffsets(context, asked);
  // No record is that late: then it is the end.
  const none = asked.filter(({ partition }) => found.get(splitIdOf(partition)) === -1).map(({ partition }) => ({ partition, timestamp: LATEST_TIMESTAMP }));
  for (const [id, offset] of [...found, ...(await listOffsets(context, none))]) resolved.set(id, offset);
  return resolved;
}

function timestampOf(spec: OffsetSpec, partition: TopicPartition, groupId: string | undefined): bigint {
  if (spec.kind === "timestamp") return BigInt(spec.timestampMs);
  const where = spec.kind === "committed" ? spec.reset : spec.kind;
  if (where === "earliest") return EARLIEST_TIMESTAMP;
  if (where === "latest") return LATEST_TIMESTAMP;
  throw new MillraceError({
    code: "KAFKA_OFFSET_UNKNOWN", message: `group "${groupId}" has committed no offset of ${splitIdOf(partition)}`,
    hint: 'say where to begin then: OffsetsInitializer.committedOffsets("earliest") or ("latest")',
  });
}

async function committedOffsets({ client, groupId }: OffsetContext, partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
  const offsets = new Map<string, number>();
  if (partitions.length === 0 || groupId === undefined) return offsets;
  const response = await client.callCoordinator("group", groupId, OffsetFetch, { groupId, topics: byTopic(partitions, ({ partition }) => partition) });
  if (response.errorCode !== 0) {
    client.forgetCoordinator("group", groupId);
    throw answerError(response.errorCode, `the offsets of group "${groupId}"`);
  }
  for (const { topic, partitions: answers } of response.topics) {
    for (const { partition, errorCode, offset } of answers) {
      if (errorCode !== 0) throw answerError(errorCode, `the offset of group "${groupId}" in ${topic}-${partition}`);
      if (offset >= 0n) offsets.set(splitIdOf({ topic, partition }), Number(offset));
    }
  }
  return offsets;
}

async function listOffsets({ client, readCommitted }: OffsetContext, asked: readonly { readonly partition: TopicPartition; readonly timestamp: bigint }[]): Promise<Map<string, number>> {
  const byLeader = new Map<number, (TopicPartition & { readonly timestamp: bigint })[]>();
  for (const { partition, timestamp } of asked) {
    const leader = client.leader(partition.topic, partition.partition);
    if (leader === undefined) throw new TransientKafkaError(`${splitIdOf(partition)} has no leader`);
    const list = byLeader.get(leader.brokerId);
    if (list === undefined) byLeader.set(leader.brokerId, [{ ...partition, timestamp }]);
    else list.push({ ...partition, timestamp });
  }
  const offsets = new Map<string, number>();
  await Promise.all([...byLeader].map(async ([brokerId, partitions]) => {
    const answers = await client.call(brokerId, ListOffsets, {
      readCommitted, topics: byTopic(partitions, ({ partition, timestamp }) => ({ partition, leaderEpoch: -1, timestamp })),
    });
    for (const { topic, partitions: listed } of answers) {
      for (const { partition, errorCode, offset } of listed) {
        if (errorCode !== 0) throw answerError(errorCode, `an offset of ${topic}-${partition}`);
        offsets.set(splitIdOf({ topic, partition }), Number(offset));
      }
    }
  }));
  return offsets;
}
