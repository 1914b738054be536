import type { KafkaClient } from "../client/kafka-client.js";
import type { LogPosition } from "../client/kafka-producer.js";
import { TransientKafkaError, answerError } from "../client/kafka-error.js";
import { errorName } from "../protocol/error-code.js";
import { Fetch, type FetchedPartition } from "../protocol/fetch-api.js";
import { EARLIEST_TIMESTAMP, ListOffsets } from "../protocol/offset-apis.js";
import { findMarker, type TransactionMarker } from "../records/transaction-marker.js";
import type { KafkaCommittable } from "./transaction-pool.js";

const FETCH_BYTES = 1024 * 1024;
const FETCH_WAIT_MS = 100;

/**
 * How a transaction that is over has ended, as the log says: brokers write a marker behind its records in each partition. `unknown` when the log has none (any
 * more), or where it was written is not known.
 *
 * What the coordinator knows of the transactional id cannot say it once somebody else has used the id: committed or aborted, it looks the same then.
 * @throws {@link TransientKafkaError}, to be tried again
 */
export async function readTransactionEnd(client: KafkaClient, { producerId, producerEpoch, written = [] }: KafkaCommittable): Promise<"committed" | "aborted" | "unknown"> {
  for (const position of written) {
    const marker = await findMarkerBehind(client, position, BigInt(producerId));
    if (marker === undefined) continue;
    // A commit is the producer's own; who aborts from outside does so under the next epoch, which shuts the producer out.
    if (marker.isCommit && marker.producerEpoch === producerEpoch) return "committed";
    if (!marker.isCommit && (marker.producerEpoch === producerEpoch || marker.producerEpoch === producerEpoch + 1)) return "aborted";
  }
  return "unknown";
}

/** The first marker of a producer at or behind a place; `undefined` when there is none up to the end of what is replicated. */
async function findMarkerBehind(client: KafkaClient, { topic, partition, offset }: LogPosition, producerId: bigint): Promise<TransactionMarker | undefined> {
  const { topics } = await client.metadata([topic]);
  if (topics.every(({ errorCode }) => errorName(errorCode) === "UNKNOWN_TOPIC_OR_PARTITION")) return undefined;
  let end: number | undefined;
  for (let position = offset; end === undefined || position < end; ) {
    const answer = await fetchFrom(client, { topic, partition, offset: position });
    if (errorName(answer.errorCode) === "OFFSET_OUT_OF_RANGE") {
      const oldest = await oldestOffset(client, { topic, partition, offset: position });
      if (oldest <= position) return undefined;
      // Of the records some are gone; the marker is behind all of them.
      position = oldest;
      continue;
    }
    if (answer.errorCode !== 0) throw answerError(answer.errorCode, `looking at ${topic}-${partition} at offset ${position}`);
    end ??= Number(answer.highWatermark);
    const found = findMarker(answer.records ?? Buffer.alloc(0), producerId);
    if ("isCommit" in found) return found;
    if (found.nextOffset <= position) {
      if (position < end) throw new TransientKafkaError(`${topic}-${partition} gives nothing at offset ${position}, before its end`);
      return undefined;
    }
    position = found.nextOffset;
  }
  return undefined;
}

async function oldestOffset(client: KafkaClient, { topic, partition }: LogPosition): Promise<number> {
  const topics = [{ topic, partitions: [{ partition, leaderEpoch: -1, timestamp: EARLIEST_TIMESTAMP }] }];
  const [listed] = await client.call(client.leader(topic, partition)!.brokerId, ListOffsets, { readCommitted: false, topics });
  const answer = listed?.partitions[0];
  if (answer === undefined || answer.errorCode !== 0) throw answerError(answer?.errorCode ?? 0, `the oldest offset of ${topic}-${partition}`);
  return Number(answer.offset);
}

async function fetchFrom(client: KafkaClient, { topic, partition, offset }: LogPosition): Promise<FetchedPartition> {
  const leader = client.leader(topic, partition);
  if (leader === undefined) throw new TransientKafkaError(`${topic}-${partition} has no leader`);
  const topics = [{ topic, partitions: [{ partition, leaderEpoch: -1, offset: BigInt(offset), maxBytes: FETCH_BYTES }] }];
  const response = await client.call(leader.brokerId, Fetch, { maxWaitMs: FETCH_WAIT_MS, minBytes: 1, maxBytes: FETCH_BYTES, readCommitted: false, topics });
  const answer = response.topics[0]?.partitions[0];
  if (response.errorCode !== 0 || answer === undefined) throw answerError(response.errorCode, "fetching");
  return answer;
}
