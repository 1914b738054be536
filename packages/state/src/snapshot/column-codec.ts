import { MillraceError, ByteWriter, readValue, writeValue, type ByteReader } from "@millrace/core";
import { readPayload, writePayload, type PayloadShape } from "../heap/payload.js";
import type { TtlPolicy } from "../heap/ttl.js";

/** First byte of a column: how its values are written. Part of the stored format. */
const TAGGED = 0;
const DOUBLES = 1;
const INTS = 2;
const PAYLOADS = 3;

/** Collects one column of a block: doubles while all values are numbers, tagged values from the first other one on. */
export class ColumnBuilder {
  count = 0;
  private numbers: Float64Array | undefined = undefined;
  private writer: ByteWriter | undefined = undefined;
  /** A writer that was used before. */
  private spare: ByteWriter | undefined = undefined;
  private payloads = false;

  /** Makes the builder empty again, keeping its memory. */
  reset(): void {
    this.count = 0;
    if (this.writer !== undefined) this.spare = this.writer;
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
    let numbers = this.numbers;
    if (numbers === undefined) {
      this.numbers = numbers = new Float64Array(16);
    } else if (this.count === numbers.length) {
      this.numbers = new Float64Array(numbers.length * 2);
      this.numbers.set(numbers);
      numbers = this.numbers;
    }
    numbers[this.count++] = value;
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
    const numbers = this.numbers ?? new Float64Array(0);
    const ints = this.areInts(numbers);
    target.u8(ints ? INTS : DOUBLES);
    target.ensure(this.count * 8);
    for (let i = 0; i < this.count; i++) {
      if (ints) target.i32(numbers[i]!);
      else target.f64(numbers[i]!);
    }
  }

  private areInts(numbers: Float64Array): boolean {
    for (let i = 0; i < this.count; i++) {
      const value = numbers[i]!;
      if ((value | 0) !== value || (value === 0 && 1 / value < 0)) return false;
    }
    return true;
  }

  private tagged(): ByteWriter {
    if (this.writer !== undefined) return this.writer;
    const writer = (this.writer = this.spare ?? new ByteWriter(64));
    for (let i = 0; i < this.count; i++) writeValue(writer, this.numbers![i]!);
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
