import { NO_TIMESTAMP } from "../time/timestamps.js";
import { BATCH_MAGIC, BATCH_PREFIX_BYTES, MAX_BATCH_BYTES, TIMES_DOUBLE, TIMES_EQUAL, TIMES_NONE, TIMES_UINT16, TIMES_UINT32 } from "./batch-format.js";
import { ByteReader } from "./byte-reader.js";
import { corrupt } from "./codec-errors.js";

/** An encoded batch being read: its columns in order, each checked to lie within the buffer, and its head. */
export class BatchSource {
  readonly head: ByteReader;
  readonly bytes: Uint8Array<ArrayBuffer>;
  private position = BATCH_PREFIX_BYTES;
  private readonly end: number;

  constructor(input: ArrayBuffer | Uint8Array) {
    this.bytes = aligned(input);
    const { bytes } = this;
    if (bytes.length < BATCH_PREFIX_BYTES || bytes.length > MAX_BATCH_BYTES) throw corrupt(`no batch has ${bytes.length} bytes`);
    const prefix = new ByteReader(bytes);
    if (prefix.i32() !== BATCH_MAGIC) throw corrupt("this is not a batch of records", 0);
    this.end = prefix.i32();
    if (this.end < BATCH_PREFIX_BYTES || this.end > bytes.length) throw corrupt("the head lies outside", 4);
    this.head = new ByteReader(bytes, this.end);
  }

  /** The offset of the next column, which has `length` bytes. */
  take(length: number): number {
    const start = (this.position + 7) & ~7;
    if (length < 0 || length > this.end - start) throw corrupt(`a column of ${length} bytes lies outside`, start);
    this.position = start + length;
    return start;
  }

  uint8s(count: number): Uint8Array {
    const start = this.take(count);
    return this.bytes.subarray(start, start + count);
  }

  int8s(count: number): Int8Array {
    return new Int8Array(this.bytes.buffer, this.bytes.byteOffset + this.take(count), count);
  }

  int16s(count: number): Int16Array {
    return new Int16Array(this.bytes.buffer, this.bytes.byteOffset + this.take(count * 2), count);
  }

  uint16s(count: number): Uint16Array {
    return new Uint16Array(this.bytes.buffer, this.bytes.byteOffset + this.take(count * 2), count);
  }

  int32s(count: number): Int32Array {
    return new Int32Array(this.bytes.buffer, this.bytes.byteOffset + this.take(count * 4), count);
  }

  uint32s(count: number): Uint32Array {
    return new Uint32Array(this.bytes.buffer, this.bytes.byteOffset + this.take(count * 4), count);
  }

  doubles(count: number): Float64Array {
    return new Float64Array(this.bytes.buffer, this.bytes.byteOffset + this.take(count * 8), count);
  }

  int64s(count: number): BigInt64Array {
    return new BigInt64Array(this.bytes.buffer, this.bytes.byteOffset + this.take(count * 8), count);
  }

  /** A reader over the next column. */
  reader(length: number): ByteReader {
    const start = this.take(length);
    return new ByteReader(this.bytes, start, start + length);
  }

  /** Time stamps, in an array of their own. */
  times(count: number): Float64Array<ArrayBuffer> {
    const kind = this.head.u8();
    const times = new Float64Array(count);
    switch (kind) {
      case TIMES_NONE:
        return times.fill(NO_TIMESTAMP);
      case TIMES_EQUAL:
        return times.fill(this.head.f64());
      case TIMES_DOUBLE:
        times.set(this.doubles(count));
        return times;
      case TIMES_UINT16:
      case TIMES_UINT32: {
        const base = this.head.f64();
        if (kind === TIMES_UINT16) {
          const offsets = this.uint16s(count);
          for (let i = 0; i < count; i++) times[i] = base + offsets[i]!;
        } else {
          const offsets = this.uint32s(count);
          for (let i = 0; i < count; i++) times[i] = base + offsets[i]!;
        }
        return times;
      }
      default:
        throw corrupt("unknown kind of time stamps", this.head.position);
    }
  }
}

/** The bytes at an address that typed arrays of eight-byte elements accept; copied when they are not. */
function aligned(input: ArrayBuffer | Uint8Array): Uint8Array<ArrayBuffer> {
  if (!ArrayBuffer.isView(input)) return new Uint8Array(input);
  if (input.byteOffset % 8 === 0 && input.buffer instanceof ArrayBuffer) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  const copy = new Uint8Array(input.byteLength);
  copy.set(input);
  return copy;
}
