import { MillraceError } from "../errors/millrace-error.js";
import { NO_TIMESTAMP } from "../time/timestamps.js";
import {
  BATCH_MAGIC, BATCH_PREFIX_BYTES, LENGTHS_UINT16, LENGTHS_UINT32, LENGTHS_UINT8, MAX_BATCH_BYTES, TEXT_UTF16, TEXT_UTF8, TIMES_DOUBLE, TIMES_EQUAL,
  TIMES_NONE, TIMES_UINT16, TIMES_UINT32, WIDTH_DOUBLE, WIDTH_INT16, WIDTH_INT32, WIDTH_INT8,
} from "./batch-format.js";
import type { BufferPool } from "./buffer-pool.js";
import type { ByteWriter } from "./byte-writer.js";
import { isWellFormed, utf8EncodeInto } from "./host-text.js";

const INITIAL_BYTES = 1 << 12;
const MAX_KEPT_BYTES = 1 << 22;

function tooLarge(): MillraceError {
  return new MillraceError({
    code: "BATCH_TOO_LARGE",
    message: `one batch of records needs more than ${MAX_BATCH_BYTES} bytes`,
    hint: "use smaller records, or a smaller taskmanager.network.batch-size",
  });
}

/**
 * Where a batch is put together: columns first, in the narrowest form that is exact, then the head.
 *
 * Without a pool the storage is kept from batch to batch and each batch is copied out of it. With one, storage that a batch fills well is given away as
 * the batch itself, and the next is put together in a buffer of the pool: nothing is copied, and nothing is allocated while buffers come back.
 */
export class BatchBody {
  private readonly pool: BufferPool | undefined;
  /** Bytes of the last batch that was given away. */
  private lastBytes = 0;
  private position = BATCH_PREFIX_BYTES;
  private u8!: Uint8Array<ArrayBuffer>;
  private i8!: Int8Array;
  private u16!: Uint16Array;
  private i32!: Int32Array;
  private f64!: Float64Array;
  private integers = new Int32Array(0);

  constructor(pool?: BufferPool) {
    this.pool = pool;
    this.use(new ArrayBuffer(INITIAL_BYTES));
  }

  private use(buffer: ArrayBuffer): void {
    this.u8 = new Uint8Array(buffer);
    this.i8 = new Int8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }

  start(): void {
    this.position = BATCH_PREFIX_BYTES;
    if (this.lastBytes > 0) this.use(this.replacement());
    else if (this.u8.length > MAX_KEPT_BYTES) this.use(new ArrayBuffer(INITIAL_BYTES));
  }

  /** Storage for a batch about as large as the last one. */
  private replacement(): ArrayBuffer {
    const bytes = roundUp(this.lastBytes + (this.lastBytes >> 3));
    this.lastBytes = 0;
    return this.pool!.take(bytes) ?? new ArrayBuffer(bytes);
  }

  /** Makes room for a column of `bytes` bytes and returns its aligned start. */
  private reserve(bytes: number): number {
    const start = (this.position + 7) & ~7;
    if (start + bytes > MAX_BATCH_BYTES) throw tooLarge();
    if (start + bytes + 8 > this.u8.length) {
      const old = this.u8;
      this.use(new ArrayBuffer(roundUp(Math.max(old.length * 2, start + bytes + 8))));
      this.u8.set(old.subarray(0, this.position));
    }
    this.position = start + bytes;
    return start;
  }

  bytes(source: Uint8Array, length: number): void {
    const start = this.reserve(length);
    this.u8.set(length === source.length ? source : source.subarray(0, length), start);
  }

  words(source: Int32Array, from: number, to: number): void {
    const start = this.reserve((to - from) * 4);
    this.i32.set(source.subarray(from, to), start >> 2);
  }

  int64s(source: BigInt64Array, count: number): void {
    this.bytes(new Uint8Array(source.buffer, 0, count * 8), count * 8);
  }

  doubles(source: Float64Array, from: number, to: number): void {
    const start = this.reserve((to - from) * 8);
    this.f64.set(source.subarray(from, to), start >> 3);
  }

  /** Numbers in the narrowest exact width, which is returned. `bits` are the words of `source`. */
  numbers(source: Float64Array, bits: Int32Array, count: number): number {
    if (this.integers.length < count) this.integers = new Int32Array(count);
    const { integers } = this;
    let magnitude = 0;
    for (let i = 0; i < count; i++) {
      const value = source[i]!;
      const int = value | 0;
      // The sign of -0 shows only in its bits.
      if (int !== value || (int === 0 && bits[2 * i + 1] !== 0)) {
        this.doubles(source, 0, count);
        return WIDTH_DOUBLE;
      }
      integers[i] = int;
      magnitude |= int ^ (int >> 31);
    }
    return this.ints(integers, count, magnitude);
  }

  /** Integers in the narrowest width, which is returned. `magnitude` has every bit of every value (of its complement, when negative). */
  ints(source: Int32Array, count: number, magnitude: number): number {
    if (magnitude < 0x80) {
      const start = this.reserve(count);
      const target = this.i8;
      for (let i = 0; i < count; i++) target[start + i] = source[i]!;
      return WIDTH_INT8;
    }
    if (magnitude < 0x8000) {
      const start = this.reserve(count * 2) >> 1;
      const target = this.u16;
      for (let i = 0; i < count; i++) target[start + i] = source[i]!;
      return WIDTH_INT16;
    }
    this.words(source, 0, count);
    return WIDTH_INT32;
  }

  /** Lengths of strings; returns their kind. `magnitude` has every bit of every length. */
  lengths(source: Int32Array, count: number, magnitude: number): number {
    if (magnitude < 0x100) {
      const start = this.reserve(count);
      const target = this.u8;
      for (let i = 0; i < count; i++) target[start + i] = source[i]!;
      return LENGTHS_UINT8;
    }
    if (magnitude < 0x10000) {
      const start = this.reserve(count * 2) >> 1;
      const target = this.u16;
      for (let i = 0; i < count; i++) target[start + i] = source[i]!;
      return LENGTHS_UINT16;
    }
    this.words(source, 0, count);
    return LENGTHS_UINT32;
  }

  /**
   * The text of a whole column; writes its kind and size in bytes to `head`.
   * @param ascii whether it probably is ASCII @returns whether it was
   */
  text(text: string, head: ByteWriter, ascii: boolean): boolean {
    const length = text.length;
    // In as many bytes as there are units fits all of ASCII and nothing else: room for three per unit is made only where it is needed.
    let start = this.reserve(ascii ? length : length * 3);
    const first = utf8EncodeInto(text, this.u8.subarray(start, this.position));
    let bytes = first.written;
    if (first.read < length) {
      this.position = start;
      start = this.reserve(length * 3);
      bytes = utf8EncodeInto(text, this.u8.subarray(start, this.position)).written;
    }
    if (bytes === length || isWellFormed(text)) {
      this.position = start + bytes;
      head.u8(TEXT_UTF8);
      head.varuint(bytes);
      return bytes === length;
    }
    const target = this.u16;
    for (let i = 0, at = start >> 1; i < length; i++) target[at++] = text.charCodeAt(i);
    this.position = start + length * 2;
    head.u8(TEXT_UTF16);
    head.varuint(length * 2);
    return false;
  }

  /** Time stamps; writes their kind and base to `head`. */
  times(source: Float64Array, from: number, to: number, head: ByteWriter): void {
    const first = from < to ? source[from]! : NO_TIMESTAMP;
    let min = 0;
    let max = 0;
    let exact = Number.isSafeInteger(first);
    for (let i = from; exact && i < to; i++) {
      const offset = source[i]! - first;
      const int = offset | 0;
      if (int < min) min = int;
      else if (int > max) max = int;
      exact = int === offset && first + int === source[i];
    }
    const base = first + min;
    if (!exact || !Number.isSafeInteger(base)) {
      head.u8(TIMES_DOUBLE);
      return this.doubles(source, from, to);
    }
    if (min === max) {
      if (first === NO_TIMESTAMP) return head.u8(TIMES_NONE);
      head.u8(TIMES_EQUAL);
      return head.f64(first);
    }
    const narrow = max - min < 0x10000;
    head.u8(narrow ? TIMES_UINT16 : TIMES_UINT32);
    head.f64(base);
    if (narrow) {
      const start = this.reserve((to - from) * 2) >> 1;
      const target = this.u16;
      for (let i = from; i < to; i++) target[start + i - from] = source[i]! - base;
    } else {
      const start = this.reserve((to - from) * 4) >> 2;
      const target = this.i32;
      for (let i = from; i < to; i++) target[start + i - from] = source[i]! - base;
    }
  }

  /** Appends the head and returns the batch in a buffer of its own: of exactly its size, or with up to as much padding when it came from a pool. */
  finish(head: ByteWriter, records: number): ArrayBuffer {
    this.bytes(head.bytes, head.position);
    const headStart = this.position - head.position;
    if (this.position < records) this.reserve(records - this.position);
    const { i32 } = this;
    i32[0] = BATCH_MAGIC;
    i32[1] = headStart;
    const { buffer } = this.u8;
    if (this.pool === undefined || this.position * 2 < buffer.byteLength || buffer.byteLength > MAX_KEPT_BYTES) return buffer.slice(0, this.position);
    this.lastBytes = this.position;
    return buffer;
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / 4096) * 4096;
}
