import {
  LENGTHS_UINT16, LENGTHS_UINT32, LENGTHS_UINT8, NODE_ANY, NODE_BIGINT, NODE_BOOLEAN, NODE_DATE, NODE_INT, NODE_NUMBER, NODE_STRING, ROW_EXCEPTION,
  ROW_NULL, ROW_UNDEFINED, TEXT_UTF16, TEXT_UTF8, WIDTH_DOUBLE, WIDTH_INT16, WIDTH_INT32, WIDTH_INT8,
} from "./batch-format.js";
import type { BatchSource } from "./batch-source.js";
import { ByteReader } from "./byte-reader.js";
import { corrupt } from "./codec-errors.js";
import { asciiDecode, stringFromUnits, utf8Decode } from "./host-text.js";
import { readValue } from "./value-reader.js";

const NO_BYTES = new Uint8Array(0);
const NO_DOUBLES = new Float64Array(0);
const NO_WORDS = new Int32Array(0);
const NO_INT64S = new BigInt64Array(0);
const NO_VALUES = new ByteReader(NO_BYTES);

/** One node's rows of the batch that is being decoded; the counterpart of `EncoderColumn`. */
export class DecoderColumn {
  readonly kind: number;
  tagged: boolean = false;
  tags: Uint8Array = NO_BYTES;
  private exceptions: ByteReader = NO_VALUES;
  /** Whether a number column is in `ints` or in `doubles`. */
  integer: boolean = false;
  ints: Int32Array = NO_WORDS;
  doubles: Float64Array = NO_DOUBLES;
  int64s: BigInt64Array = NO_INT64S;
  booleans: Uint8Array = NO_BYTES;
  text: string = "";
  /** Start of the next string in `text`. */
  textPosition: number = 0;
  lengths: Int32Array = NO_WORDS;
  values: ByteReader = NO_VALUES;
  private scratch: Int32Array = NO_WORDS;

  constructor(kind: number) {
    this.kind = kind;
  }

  /** Reads the column's header and finds its rows. */
  load(source: BatchSource, rows: number): void {
    const { head } = source;
    const tagged = head.u8();
    if (tagged > 1) throw corrupt("a column is malformed", head.position);
    this.tagged = tagged === 1;
    if (this.tagged) {
      this.tags = source.uint8s(rows);
      this.exceptions = source.reader(head.varuint());
    }
    switch (this.kind) {
      case NODE_INT:
      case NODE_NUMBER: return this.loadNumbers(source, rows);
      case NODE_STRING: return this.loadStrings(source, rows);
      case NODE_BOOLEAN: this.booleans = source.uint8s(rows); return;
      case NODE_DATE: this.doubles = source.doubles(rows); return;
      case NODE_BIGINT: this.int64s = source.int64s(rows); return;
      case NODE_ANY: this.values = source.reader(head.varuint()); return;
    }
  }

  private words(rows: number): Int32Array {
    if (this.scratch.length < rows) this.scratch = new Int32Array(rows);
    return this.scratch;
  }

  private loadNumbers(source: BatchSource, rows: number): void {
    const width = source.head.u8();
    this.integer = width !== WIDTH_DOUBLE;
    switch (width) {
      case WIDTH_INT8: this.ints = widen(source.int8s(rows), this.words(rows), rows); return;
      case WIDTH_INT16: this.ints = widen(source.int16s(rows), this.words(rows), rows); return;
      case WIDTH_INT32: this.ints = source.int32s(rows); return;
      case WIDTH_DOUBLE: this.doubles = source.doubles(rows); return;
      default: throw corrupt("unknown width of numbers", source.head.position);
    }
  }

  private loadStrings(source: BatchSource, rows: number): void {
    const { head } = source;
    const total = this.loadLengths(source, rows);
    const kind = head.u8();
    const byteLength = head.varuint();
    const start = source.take(byteLength);
    if (kind === TEXT_UTF8) {
      // A character of more than one byte has fewer units than bytes.
      const decode = byteLength === total ? asciiDecode : utf8Decode;
      this.text = byteLength === 0 ? "" : decode(source.bytes.subarray(start, start + byteLength));
    }
    else if (kind === TEXT_UTF16 && byteLength % 2 === 0) {
      const units = new Uint16Array(source.bytes.buffer, source.bytes.byteOffset + start, byteLength / 2);
      this.text = stringFromUnits(units, 0, units.length);
    } else throw corrupt("unknown kind of text", head.position);
    if (this.text.length !== total) throw corrupt(`a column has ${this.text.length} characters instead of ${total}`, start);
    this.textPosition = 0;
  }

  /** Returns the sum of the lengths. */
  private loadLengths(source: BatchSource, rows: number): number {
    const kind = source.head.u8();
    const lengths = this.words(rows);
    this.lengths = lengths;
    switch (kind) {
      case LENGTHS_UINT8: return widenAndSum(source.uint8s(rows), lengths, rows);
      case LENGTHS_UINT16: return widenAndSum(source.uint16s(rows), lengths, rows);
      case LENGTHS_UINT32: return widenAndSum(source.uint32s(rows), lengths, rows);
      default: throw corrupt("unknown kind of lengths", source.head.position);
    }
  }

  /** The value of a row whose tag is not 0. Rows must be asked for in order, each once. */
  misfit(row: number): unknown {
    switch (this.tags[row]) {
      case ROW_NULL: return null;
      case ROW_UNDEFINED: return undefined;
      case ROW_EXCEPTION: return readValue(this.exceptions);
      default: throw corrupt(`unknown tag ${this.tags[row]} of row ${row}`);
    }
  }

  /** The next string. */
  nextText(row: number): string {
    const start = this.textPosition;
    this.textPosition = start + this.lengths[row]!;
    return this.text.substring(start, this.textPosition);
  }

  /** Forgets the batch, so that nothing of it stays alive. */
  release(): void {
    this.text = "";
    this.tags = this.booleans = NO_BYTES;
    this.doubles = NO_DOUBLES;
    this.ints = NO_WORDS;
    this.int64s = NO_INT64S;
    this.values = this.exceptions = NO_VALUES;
  }
}

function widen(source: Int8Array | Int16Array, target: Int32Array, count: number): Int32Array {
  for (let i = 0; i < count; i++) target[i] = source[i]!;
  return target;
}

function widenAndSum(source: Uint8Array | Uint16Array | Uint32Array, target: Int32Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const length = source[i]!;
    target[i] = length;
    sum += length;
  }
  return sum;
}
