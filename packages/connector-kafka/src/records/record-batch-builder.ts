import { COMPRESSION_TYPES, compress } from "./compression.js";
import type { CompressionType } from "./compression.js";
import { crc32c } from "./crc32c.js";
import {
  ATTRIBUTES, BASE_OFFSET, BASE_SEQUENCE, BASE_TIMESTAMP, BATCH_HEADER, BATCH_LENGTH, BATCH_PREFIX, CRC, LAST_OFFSET_DELTA, LEADER_EPOCH, MAGIC, MAX_TIMESTAMP, PRODUCER_EPOCH, PRODUCER_ID,
  RECORD_COUNT, TRANSACTIONAL,
} from "./record-batch-layout.js";

/** A header of a record. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

export interface BatchProducer {
  /** -1 for one that is not idempotent. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
}

const FIRST_CAPACITY = 16 * 1024;
/** More than the numbers of one record need. */
const NUMBERS = 64;

/** Collects records of one partition into a batch. */
export class RecordBatchBuilder {
  #buffer: Buffer = Buffer.allocUnsafe(FIRST_CAPACITY);
  #length: number = BATCH_HEADER;
  #baseTimestamp: number = 0;
  #maxTimestamp: number = 0;
  #count: number = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes of the batch so far, before compression. */
  get size(): number {
    return this.#length;
  }

  append(key: Uint8Array | null, value: Uint8Array | null, timestampMs: number, headers: readonly RecordHeader[] | undefined): void {
    if (this.#count === 0) this.#baseTimestamp = this.#maxTimestamp = timestampMs;
    else if (timestampMs > this.#maxTimestamp) this.#maxTimestamp = timestampMs;
    const timestampDelta = timestampMs - this.#baseTimestamp;
    const keys = headers === undefined ? [] : headers.map((header) => Buffer.from(header.key));
    let size = 1 + sizeOf(timestampDelta) + sizeOf(this.#count) + sizeOf(key === null ? -1 : key.length) + (key?.length ?? 0) + sizeOf(value === null ? -1 : value.length) + (value?.length ?? 0);
    size += sizeOf(keys.length);
    headers?.forEach((header, i) => (size += sizeOf(keys[i]!.length) + keys[i]!.length + sizeOf(header.value === null ? -1 : header.value.length) + (header.value?.length ?? 0)));
    this.#reserve(size + NUMBERS);
    this.#number(size);
    this.#buffer[this.#length++] = 0;
    this.#number(timestampDelta);
    this.#number(this.#count++);
    this.#field(key);
    this.#field(value);
    this.#number(keys.length);
    headers?.forEach((header, i) => {
      this.#field(keys[i]!);
      this.#field(header.value);
    });
  }

  /** The batch; the builder is used up afterwards. */
  finish(producer: BatchProducer, compression: CompressionType): Buffer {
    let batch = this.#buffer.subarray(0, this.#length);
    if (compression !== "none") batch = Buffer.concat([batch.subarray(0, BATCH_HEADER), compress(compression, batch.subarray(BATCH_HEADER))]);
    batch.writeBigInt64BE(0n, BASE_OFFSET);
    batch.writeInt32BE(batch.length - BATCH_PREFIX, BATCH_LENGTH);
    batch.writeInt32BE(-1, LEADER_EPOCH);
    batch.writeInt8(2, MAGIC);
    batch.writeInt16BE(COMPRESSION_TYPES.indexOf(compression) | (producer.isTransactional ? TRANSACTIONAL : 0), ATTRIBUTES);
    batch.writeInt32BE(this.#count - 1, LAST_OFFSET_DELTA);
    batch.writeBigInt64BE(BigInt(this.#baseTimestamp), BASE_TIMESTAMP);
    batch.writeBigInt64BE(BigInt(this.#maxTimestamp), MAX_TIMESTAMP);
    batch.writeBigInt64BE(producer.producerId, PRODUCER_ID);
    batch.writeInt16BE(producer.producerEpoch, PRODUCER_EPOCH);
    batch.writeInt32BE(producer.baseSequence, BASE_SEQUENCE);
    batch.writeInt32BE(this.#count, RECORD_COUNT);
    batch.writeUInt32BE(crc32c(batch, ATTRIBUTES, batch.length), CRC);
    return batch;
  }

  #field(bytes: Uint8Array | null): void {
    if (bytes === null) return this.#number(-1);
    this.#number(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Zigzag; exact for the whole numbers up to 2^52. */
  #number(value: number): void {
    let rest = value >= 0 ? value * 2 : -value * 2 - 1;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.#buffer[this.#length++] = (rest % 128) | 0x80;
    this.#buffer[this.#length++] = rest;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + size));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

function sizeOf(value: number): number {
  let size = 1;
  for (let rest = value >= 0 ? value * 2 : -value * 2 - 1; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}
