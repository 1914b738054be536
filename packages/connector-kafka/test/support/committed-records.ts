import type { KafkaClient } from "../../src/client/kafka-client.js";
import { Fetch } from "../../src/protocol/fetch-api.js";
import { ATTRIBUTES, BASE_OFFSET, BATCH_LENGTH, BATCH_PREFIX, CONTROL, LAST_OFFSET_DELTA, PRODUCER_ID } from "../../src/records/record-batch-layout.js";
import { RecordCursor } from "../../src/records/record-cursor.js";
import { findMarker } from "../../src/records/transaction-marker.js";

/**
 * Values in committed transactions, by the markers in the log. Readers with `read_committed` see no record behind the beginning of an open transaction, committed or
 * not; this sees it. Leaders must be known.
 */
export async function committedRecords(client: KafkaClient, topic: string, partition: number): Promise<string[]> {
  const open = new Map<bigint, string[]>();
  const committed: string[] = [];
  for (let offset = 0, end = 1; offset < end; ) {
    const topics = [{ topic, partitions: [{ partition, leaderEpoch: -1, offset: BigInt(offset), maxBytes: 1 << 20 }] }];
    const response = await client.call(client.leader(topic, partition)!.brokerId, Fetch, { maxWaitMs: 100, minBytes: 1, maxBytes: 1 << 20, readCommitted: false, topics });
    const { highWatermark, records } = response.topics[0]!.partitions[0]!;
    end = Number(highWatermark);
    for (const batch of batchesOf(records ?? Buffer.alloc(0))) {
      offset = Number(batch.readBigInt64BE(BASE_OFFSET)) + batch.readInt32BE(LAST_OFFSET_DELTA) + 1;
      const producerId = batch.readBigInt64BE(PRODUCER_ID);
      const values = open.get(producerId) ?? [];
      open.set(producerId, values);
      if ((batch.readInt16BE(ATTRIBUTES) & CONTROL) === 0) {
        const cursor = new RecordCursor(batch, 0, null);
        while (cursor.next()) values.push(cursor.bytes.toString("utf8", cursor.valueStart, cursor.valueEnd));
        continue;
      }
      const marker = findMarker(batch, producerId);
      if ("isCommit" in marker && marker.isCommit) committed.push(...values);
      open.delete(producerId);
    }
  }
  return committed;
}

function* batchesOf(records: Buffer): Generator<Buffer> {
  for (let start = 0; start + BATCH_PREFIX < records.length; ) {
    const end = start + BATCH_PREFIX + records.readInt32BE(start + BATCH_LENGTH);
    if (end > records.length) return;
    yield records.subarray(start, end);
    start = end;
  }
}
