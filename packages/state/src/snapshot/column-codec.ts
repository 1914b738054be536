import { MillraceError, ByteWriter, readValue, writeValue, type ByteReader } from "@millrace/core";
import { readPayload, writePayload, type PayloadShape } from "../heap/payload.js";
import type { TtlPolicy } from "../heap/ttl.js";

/** First byte of a column: how its values are written. Part of the stored format. */
const TAGGED = 0;
const DOUBLES = 1;
const INTS = 2;
const PAYLOADS = 3;

/** A column that grew larger gives its memory back. */
const KEPT_BYTES = 64 * 1024;
/** Where {@link ColumnBuilder} converts numbers; holds nothing between two calls. */
let intScratch: Int32Array = new Int32Array(0);
const NO_NUMBERS: Float64Array = new Float64Array(0);
/** Numbers are copied as bytes where the processor keeps them in the stored order. */
export const LITTLE_ENDIAN: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The first `count` numbers as they are stored. */
export function int32Bytes(numbers: Int32Array, count: number): Uint8Array {
  if (LITTLE_ENDIAN) return new Uint8Array(numbers.buffer, 0, count * 4);
  const view = new DataView(new ArrayBuffer(count * 4));
  for (let i = 0; i < count; i++) view.setInt32(i * 4, numbers[i]!, true);
  return new Uint8Array(view.buffer);
}

/** Collects one column of a block: doubles while all values are numbers, tagged values from the first other one on. */
export class ColumnBuilder {
  count = 0;
  private numbers: Float64Array = NO_NUMBERS;
  private writer: ByteWriter | undefined = undefined;
  /** A writer that was used before. */
  private spare: ByteWriter | undefined = undefined;
  private payloads = false;

  /** Makes the builder empty again, keeping its memory. */
  reset(): void {
    this.count = 0;
    if (this.writer !== undefined) this.spare = this.writer.bytes.length <= KEPT_BYTES ? this.writer : undefined;
    this.spare?.clear();
    this.writer = undefined;
    this.payloads = false;
  }

  /** Appends a value; returns about how many bytes it takes. */
  add(value: unknown): number {
    if (typeof value === "number" && this.writer === undefined) {
      this.addNumber(value);
      return 8;
    }
    const writer = this.tagged();
    const start = writer.position;
    writeValue(writer, value);
    this.count++;
    return writer.position - start;
  }

  addNumber(value: number): void {
    const numbers = this.numbers.length > this.count ? this.numbers : this.reach(this.count + 1);
    numbers[this.count++] = value;
  }

  /** Appends the numbers of a page at the places `order[from]` to `order[to - 1]`. */
  addNumbers(page: Float64Array, order: Int32Array, from: number, to: number): void {
    if (this.writer !== undefined) {
      for (let i = from; i < to; i++) this.add(page[order[i]!]!);
      return;
    }
    const end = this.count + to - from;
    const numbers = this.numbers.length >= end ? this.numbers : this.reach(end);
    let count = this.count;
    for (let i = from; i < to; i++) numbers[count++] = page[order[i]!]!;
    this.count = count;
  }

  /** Appends a value that was written as `writeValue` does it. */
  addWritten(bytes: Uint8Array, from: number, to: number): void {
    const writer = this.tagged();
    writer.ensure(to - from);
    const target = writer.bytes;
    // Values are short: a call of `set` takes longer.
    for (let source = from, at = writer.position; source < to; source++, at++) target[at] = bytes[source]!;
    writer.position += to - from;
    this.count++;
  }

  /** Appends a state's payload; returns about how many bytes it takes, 0 when all of it has expired and nothing was appended. */
  addPayload(payload: unknown, shape: PayloadShape, policy: TtlPolicy | undefined, nowMs: number): number {
    this.payloads = true;
    const writer = (this.writer ??= this.spare ?? new ByteWriter(64));
    const start = writer.position;
    if (!writePayload(writer, payload, shape, policy, nowMs)) return 0;
    this.count++;
    return writer.position - start;
  }

  writeTo(target: ByteWriter): void {
    if (this.writer !== undefined) {
      target.u8(this.payloads ? PAYLOADS : TAGGED);
      target.raw(this.writer.written());
      return;
    }
    const { count, numbers } = this;
    target.ensure(1 + count * 8);
    const ints = this.asInts();
    target.u8(ints !== undefined ? INTS : DOUBLES);
    if (LITTLE_ENDIAN) {
      target.raw(ints !== undefined ? new Uint8Array(ints.buffer, 0, count * 4) : new Uint8Array(numbers.buffer, 0, count * 8));
    } else {
      for (let i = 0; i < count; i++) {
        if (ints !== undefined) target.i32(ints[i]!);
        else target.f64(numbers[i]!);
      }
    }
  }

  /** The numbers as int32, when they all are (and none is -0). */
  private asInts(): Int32Array | undefined {
    const { count, numbers } = this;
    if (intScratch.length < count) intScratch = new Int32Array(count);
    const ints = intScratch;
    for (let i = 0; i < count; i++) {
      const value = numbers[i]!;
      const int = value | 0;
      if (int !== value || (int === 0 && 1 / value < 0)) return undefined;
      ints[i] = int;
    }
    return ints;
  }

  private reach(count: number): Float64Array {
    const grown = new Float64Array(Math.max(16, this.numbers.length * 2, count));
    grown.set(this.numbers.subarray(0, this.count));
    return (this.numbers = grown);
  }

  private tagged(): ByteWriter {
    if (this.writer !== undefined) return this.writer;
    const writer = (this.writer = this.spare ?? new ByteWriter(64));
    for (let i = 0; i < this.count; i++) writeValue(writer, this.numbers[i]!);
    return writer;
  }
}

/** Reads a column of `count` values; `shape` is needed where it may hold payloads. */
export function readColumn(reader: ByteReader, count: number, shape?: PayloadShape): ArrayLike<unknown> {
  const encoding = reader.u8();
  switch (encoding) {
    case DOUBLES: {
      reader.need(count * 8);
      const values = new Float64Array(count);
      for (let i = 0; i < count; i++) values[i] = reader.f64();
      return values;
    }
    case INTS: {
      reader.need(count * 4);
      const values = new Int32Array(count);
      for (let i = 0; i < count; i++) values[i] = reader.i32();
      return values;
    }
    case TAGGED:
      return readEach(count, () => readValue(reader));
    case PAYLOADS:
      if (shape !== undefined) return readEach(count, () => readPayload(reader, shape));
  }
  throw corruptSnapshot(`a column has the unknown encoding ${encoding}`);
}

function readEach(count: number, read: () => unknown): unknown[] {
  const values: unknown[] = [];
  for (let i = 0; i < count; i++) values.push(read());
  return values;
}

export function corruptSnapshot(what: string): MillraceError {
  return new MillraceError({
    code: "STATE_SNAPSHOT_CORRUPT",
    message: `a keyed state snapshot is corrupt: ${what}`,
    hint: "The file was damaged or cut off, or it is not a state file: restore from another checkpoint.",
  });
}
