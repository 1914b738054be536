import { ATTRIBUTES, BASE_OFFSET, BATCH_HEADER, BATCH_LENGTH, BATCH_PREFIX, CONTROL, LAST_OFFSET_DELTA, MAGIC, PRODUCER_EPOCH, PRODUCER_ID, RECORD_COUNT } from "./record-batch-layout.js";
import { CorruptRecords } from "./record-cursor.js";

/** What brokers write behind a transaction's records in every partition it wrote to. */
export interface TransactionMarker {
  readonly producerEpoch: number;
  readonly isCommit: boolean;
}

/** The first marker of a producer among the batches that a fetch gave; without one, the offset to go on from. @throws {@link CorruptRecords} */
export function findMarker(records: Buffer, producerId: bigint): TransactionMarker | { readonly nextOffset: number } {
  let nextOffset = -1;
  for (let start = 0; start + BATCH_HEADER <= records.length; ) {
    const end = start + BATCH_PREFIX + records.readInt32BE(start + BATCH_LENGTH);
    // The last batch is cut where the fetch had its limit.
    if (end > records.length) break;
    if (records[start + MAGIC] !== 2 || end < start + BATCH_HEADER) throw new CorruptRecords("not a record batch of format 2");
    const isControl = (records.readInt16BE(start + ATTRIBUTES) & CONTROL) !== 0;
    // Compaction leaves batches without a record.
    if (isControl && records.readBigInt64BE(start + PRODUCER_ID) === producerId && records.readInt32BE(start + RECORD_COUNT) > 0) {
      return { producerEpoch: records.readInt16BE(start + PRODUCER_EPOCH), isCommit: controlType(records, start + BATCH_HEADER, end) === COMMIT };
    }
    nextOffset = Number(records.readBigInt64BE(start + BASE_OFFSET)) + records.readInt32BE(start + LAST_OFFSET_DELTA) + 1;
    start = end;
  }
  return { nextOffset };
}

const COMMIT = 1;

/** A control record's key is its version and its type, two bytes each. */
function controlType(records: Buffer, start: number, end: number): number {
  const behindSize = behindVarint(records, start);
  const behindTimestamp = behindVarint(records, behindSize + 1);
  const key = behindVarint(records, behindVarint(records, behindTimestamp));
  if (key + 4 > end) throw new CorruptRecords("a control record that is longer than its batch");
  return records.readInt16BE(key + 2);
}

function behindVarint(bytes: Buffer, position: number): number {
  let next = position;
  while (bytes[next]! >= 0x80) next++;
  return next + 1;
}
