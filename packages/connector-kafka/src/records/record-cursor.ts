import type { AbortedTransaction } from "../protocol/fetch-api.js";
import { COMPRESSION_TYPES, decompress } from "./compression.js";
import { crc32c } from "./crc32c.js";
import {
  ATTRIBUTES, BASE_OFFSET, BASE_TIMESTAMP, BATCH_HEADER, BATCH_LENGTH, BATCH_PREFIX, COMPRESSION_MASK, CONTROL, CRC, LAST_OFFSET_DELTA, LOG_APPEND_TIME, MAGIC, MAX_TIMESTAMP, PRODUCER_ID,
  RECORD_COUNT, TRANSACTIONAL,
} from "./record-batch-layout.js";

/** Bytes that are no record batches, or not whole ones. */
export class CorruptRecords extends Error {
  override readonly name = "CorruptRecords";
}

/**
 * Walks over the records that one fetch gave for one partition, in the order of their offsets. The fields of the record it stands on are those of the
 * cursor; `bytes` is where its key and value lie. Nothing is allocated per record.
 *
 * With `aborted` it leaves out the records of aborted transactions, as a consumer with `read_committed` must: the list of a fetch names every aborted
 * transaction that touches its range, so nothing has to be remembered from one fetch to the next.
 */
export class RecordCursor {
  readonly #records: Buffer;
  readonly #fromOffset: number;
  readonly #aborted: AbortedTransaction[];
  readonly #abortedProducers = new Set<bigint>();
  #nextBatch: number = 0;
  #left: number = 0;
  #position: number = 0;
  #end: number = 0;
  #baseOffset: number = 0;
  #baseTimestamp: number = 0;
  #appendTime: number = -1;
  #lastOffset: number = -1;

  /** Where to go on reading once `next` has said false; before, behind the record the cursor stands on. */
  nextOffset: number;
  offset: number = -1;
  timestampMs: number = -1;
  bytes: Buffer;
  /** -1 when there is no key. */
  keyStart: number = -1;
  keyEnd: number = -1;
  /** -1 when there is no value: a tombstone. */
  valueStart: number = -1;
  valueEnd: number = -1;
  headerCount: number = 0;
  #headersStart: number = 0;
  #recordEnd: number = 0;

  constructor(records: Buffer, fromOffset: number, aborted: readonly AbortedTransaction[] | null) {
    this.#records = records;
    this.bytes = records;
    this.#fromOffset = fromOffset;
    this.nextOffset = fromOffset;
    this.#aborted = aborted === null ? [] : [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  }

  /** Moves to the next record. @throws {@link CorruptRecords} */
  next(): boolean {
    for (;;) {
      while (this.#left === 0) if (!this.#openBatch()) return false;
      this.#readRecord();
      // A fetch begins with the batch that holds its offset, that is, often before it.
      if (this.offset >= this.#fromOffset) return true;
    }
  }

  /** Calls `use` for each header of the record. */
  forEachHeader(use: (key: string, value: Uint8Array | null) => void): void {
    this.#position = this.#headersStart;
    for (let i = 0; i < this.headerCount; i++) {
      const keySize = this.#varint();
      const keyStart = this.#take(keySize);
      const valueSize = this.#varint();
      const valueStart = this.#take(Math.max(0, valueSize));
      use(this.bytes.toString("utf8", keyStart, keyStart + keySize), valueSize < 0 ? null : this.bytes.subarray(valueStart, valueStart + valueSize));
    }
    this.#position = this.#recordEnd;
  }

  #openBatch(): boolean {
    if (this.#lastOffset >= 0) {
      // Also behind records that compaction has taken away.
      this.nextOffset = Math.max(this.nextOffset, this.#lastOffset + 1);
      this.#lastOffset = -1;
    }
    const records = this.#records;
    const start = this.#nextBatch;
    if (start + BATCH_HEADER > records.length) return false;
    const end = start + BATCH_PREFIX + records.readInt32BE(start + BATCH_LENGTH);
    // The last batch is cut where the fetch had its limit.
    if (end > records.length) return false;
    const magic = records[start + MAGIC]!;
    if (magic !== 2) throw new CorruptRecords(`records of message format ${magic}; this client reads format 2 (Kafka 0.11 and later)`);
    if (end < start + BATCH_HEADER) throw new CorruptRecords(`a record batch of ${end - start} bytes`);
    if (crc32c(records, start + ATTRIBUTES, end) !== records.readUInt32BE(start + CRC)) throw new CorruptRecords("a record batch whose checksum does not match");
    this.#nextBatch = end;
    this.#baseOffset = Number(records.readBigInt64BE(start + BASE_OFFSET));
    this.#lastOffset = this.#baseOffset + records.readInt32BE(start + LAST_OFFSET_DELTA);
    const attributes = records.readInt16BE(start + ATTRIBUTES);
    if (this.#isHidden(start, attributes)) return true;
    this.#baseTimestamp = Number(records.readBigInt64BE(start + BASE_TIMESTAMP));
    this.#appendTime = attributes & LOG_APPEND_TIME ? Number(records.readBigInt64BE(start + MAX_TIMESTAMP)) : -1;
    this.#openRecords(start + BATCH_HEADER, end, attributes & COMPRESSION_MASK);
    this.#left = records.readInt32BE(start + RECORD_COUNT);
    return true;
  }

  /** Whether the batch is a marker, or belongs to an aborted transaction. */
  #isHidden(start: number, attributes: number): boolean {
    const isControl = (attributes & CONTROL) !== 0;
    if (!(attributes & TRANSACTIONAL)) return isControl;
    while (this.#aborted.length > 0 && Number(this.#aborted[0]!.firstOffset) <= this.#lastOffset) this.#abortedProducers.add(this.#aborted.shift()!.producerId);
    const producerId = this.#records.readBigInt64BE(start + PRODUCER_ID);
    if (!isControl) return this.#abortedProducers.has(producerId);
    // The marker that ends a transaction: what the producer writes next is another one.
    this.#abortedProducers.delete(producerId);
    return true;
  }

  #openRecords(start: number, end: number, compression: number): void {
    if (compression === 0) {
      this.bytes = this.#records;
      this.#position = start;
      this.#end = end;
      return;
    }
    const type = COMPRESSION_TYPES[compression];
    if (type === undefined) throw new CorruptRecords(`records compressed in way ${compression}, which this client does not know`);
    try {
      this.bytes = decompress(type, this.#records.subarray(start, end));
    } catch (error) {
      throw new CorruptRecords(`records that ${type} cannot decompress`, { cause: error });
    }
    this.#position = 0;
    this.#end = this.bytes.length;
  }

  #readRecord(): void {
    this.#left--;
    const size = this.#varint();
    const end = this.#position + size;
    if (size < 0 || end > this.#end) throw new CorruptRecords(`a record of ${size} bytes in a batch of ${this.#end}`);
    this.#recordEnd = end;
    this.#position++;
    const timestampDelta = this.#varlong();
    this.timestampMs = this.#appendTime >= 0 ? this.#appendTime : this.#baseTimestamp + timestampDelta;
    this.offset = this.#baseOffset + this.#varint();
    this.nextOffset = Math.max(this.nextOffset, this.offset + 1);
    const keySize = this.#varint();
    this.keyStart = keySize < 0 ? -1 : this.#take(keySize);
    this.keyEnd = this.#position;
    const valueSize = this.#varint();
    this.valueStart = valueSize < 0 ? -1 : this.#take(valueSize);
    this.valueEnd = this.#position;
    this.headerCount = this.#varint();
    this.#headersStart = this.#position;
    this.#position = end;
  }

  #take(size: number): number {
    const start = this.#position;
    if (size < 0 || start + size > this.#recordEnd) throw new CorruptRecords(`a field of ${size} bytes that is longer than its record`);
    this.#position = start + size;
    return start;
  }

  /** A zigzag number of up to 32 bits. */
  #varint(): number {
    const { bytes } = this;
    let byte = bytes[this.#position++]!;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 28) throw new CorruptRecords("a number of more than five bytes");
      byte = bytes[this.#position++]!;
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** A zigzag number of up to 64 bits; exact up to 2^53. */
  #varlong(): number {
    const { bytes } = this;
    let byte = bytes[this.#position++]!;
    let value = byte & 0x7f;
    for (let scale = 128; byte >= 0x80; scale *= 128) {
      if (scale > 2 ** 63) throw new CorruptRecords("a number of more than ten bytes");
      byte = bytes[this.#position++]!;
      value += (byte & 0x7f) * scale;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
