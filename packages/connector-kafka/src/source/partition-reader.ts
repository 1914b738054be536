import type { FetchedPartition } from "../protocol/fetch-api.js";
import { RecordCursor } from "../records/record-cursor.js";
import { BATCH_HEADER, BATCH_LENGTH, BATCH_PREFIX, LAST_OFFSET_DELTA } from "../records/record-batch-layout.js";
import type { KafkaSplit } from "./kafka-split.js";

/** Answers a partition may have waiting while its reader is at an earlier one: enough to overlap fetching and reading. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** One partition in its reader: what was fetched, how far it was emitted. */
export class PartitionReader {
  readonly split: KafkaSplit;
  /** Nothing is fetched or emitted while watermark alignment holds it back. */
  isPaused: boolean = false;
  /** The cursor that stands on a record whose deserializer still has to fetch something; nothing is emitted until then. */
  held: RecordCursor | undefined;
  isPreparing: boolean = false;
  /** A fetch for it is on its way. */
  isFetching: boolean = false;
  highWatermark: number = -1;
  committedOffset: number = -1;
  /** Since when its topic is not there. */
  missingSinceMs: number | undefined;
  readonly #readCommitted: boolean;
  #position: number;
  #fetchPosition: number;
  #cursors: { readonly cursor: RecordCursor; readonly bytes: number }[] = [];
  #waitingBytes: number = 0;

  constructor(split: KafkaSplit, readCommitted: boolean) {
    this.split = split;
    this.#readCommitted = readCommitted;
    this.#position = split.offset;
    this.#fetchPosition = split.offset;
  }

  /** The next record to emit. */
  get position(): number {
    return this.#position;
  }

  /** The next record to fetch. */
  get fetchPosition(): number {
    return this.#fetchPosition;
  }

  get isDone(): boolean {
    return this.split.stoppingOffset !== null && this.#position >= this.split.stoppingOffset;
  }

  get wantsData(): boolean {
    if (this.isPaused || this.isFetching || this.#waitingBytes >= MAX_WAITING_BYTES) return false;
    return this.split.stoppingOffset === null || this.#fetchPosition < this.split.stoppingOffset;
  }

  /** The cursor over what was fetched and not emitted; `undefined` when there is none. */
  get cursor(): RecordCursor | undefined {
    return this.#cursors[0]?.cursor;
  }

  /** What a fetch from `fetchPosition` on gave. @throws `CorruptRecords` */
  add({ records, abortedTransactions, highWatermark }: FetchedPartition): boolean {
    this.highWatermark = Number(highWatermark);
    this.missingSinceMs = undefined;
    if (records === null || records.length === 0) return false;
    this.#cursors.push({ cursor: new RecordCursor(records, this.#fetchPosition, this.#readCommitted ? abortedTransactions : null), bytes: records.length });
    this.#fetchPosition = endOfBatches(records, this.#fetchPosition);
    this.#waitingBytes += records.length;
    return true;
  }

  /** The record that the cursor stands on was emitted or left out. */
  advanceTo(offset: number): void {
    this.#position = offset;
  }

  /** The cursor has no more records. */
  dropCursor(): void {
    const done = this.#cursors.shift();
    if (done === undefined) return;
    this.#waitingBytes -= done.bytes;
    this.#position = Math.max(this.#position, done.cursor.nextOffset);
    // Aborted records and markers at the end count as read, but not beyond the end that was asked for.
    if (this.split.stoppingOffset !== null) this.#position = Math.min(this.#position, Math.max(this.split.stoppingOffset, this.split.offset));
  }

  /** Goes on at `offset`, because what it stood on is gone. */
  seek(offset: number): void {
    this.#cursors = [];
    this.#waitingBytes = 0;
    this.#position = offset;
    this.#fetchPosition = offset;
  }

  snapshot(): KafkaSplit {
    return { ...this.split, offset: this.#position };
  }
}

/** The offset behind the last whole batch. */
function endOfBatches(records: Buffer, from: number): number {
  let end = from;
  for (let i = 0; i + BATCH_HEADER <= records.length; ) {
    const size = BATCH_PREFIX + records.readInt32BE(i + BATCH_LENGTH);
    if (size < BATCH_HEADER || i + size > records.length) break;
    end = Number(records.readBigInt64BE(i)) + records.readInt32BE(i + LAST_OFFSET_DELTA) + 1;
    i += size;
  }
  return end;
}
