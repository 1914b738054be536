import type { BatchBody } from "./batch-body.js";
import { NODE_ANY, NODE_BIGINT, NODE_BOOLEAN, NODE_DATE, NODE_INT, NODE_NUMBER, NODE_STRING, ROW_EXCEPTION, ROW_NULL, ROW_UNDEFINED } from "./batch-format.js";
import { ByteWriter } from "./byte-writer.js";
import { writeUnexplained } from "./value-writer.js";

const NO_DOUBLES = new Float64Array(0);
const NO_WORDS = new Int32Array(0);
const NO_BYTES = new Uint8Array(0);
const NO_INT64S = new BigInt64Array(0);
const MAX_KEPT_BYTES = 1 << 20;

/** Collects one node's rows of the batch that is being encoded. Which fields are used depends on the kind. */
export class EncoderColumn {
  readonly kind: number;
  /** Numbers and dates. */
  doubles: Float64Array = NO_DOUBLES;
  private bits: Int32Array = NO_WORDS;
  /** Integers, or the length of each string. */
  ints: Int32Array = NO_WORDS;
  /** Every bit that is set in one of `ints` (in its complement, when negative). */
  magnitude: number = 0;
  int64s: BigInt64Array = NO_INT64S;
  booleans: Uint8Array = NO_BYTES;
  /** All strings, joined. */
  text: string = "";
  /** Whether the last batch's text was ASCII. */
  private ascii = true;
  /** Values in the value format, for `NODE_ANY`. */
  values: ByteWriter;
  /** Per row 0 or one of the `ROW_` codes; all 0 unless {@link tagged}. */
  tags: Uint8Array = NO_BYTES;
  tagged: boolean = false;
  exceptions: ByteWriter;
  /** Exceptions in this batch: many mean that the plan does not suit the data any more. */
  exceptionCount: number = 0;
  private capacity = 0;

  constructor(kind: number) {
    this.kind = kind;
    this.values = new ByteWriter(kind === NODE_ANY ? 1024 : 0);
    this.exceptions = new ByteWriter(0);
  }

  /** Forgets the last batch, finished or not, and makes room for `rows` rows. */
  start(rows: number): void {
    this.text = "";
    this.magnitude = 0;
    this.values.clear();
    this.exceptions.clear();
    if (this.values.bytes.length > MAX_KEPT_BYTES) this.values = new ByteWriter(1024);
    if (this.tagged) this.tags.fill(0);
    this.tagged = false;
    this.exceptionCount = 0;
    if (rows > this.capacity) this.allocate(rows);
  }

  private allocate(rows: number): void {
    this.capacity = rows;
    this.tags = new Uint8Array(rows);
    if (this.kind === NODE_NUMBER || this.kind === NODE_DATE) {
      this.doubles = new Float64Array(rows);
      this.bits = new Int32Array(this.doubles.buffer);
    } else if (this.kind === NODE_STRING || this.kind === NODE_INT) this.ints = new Int32Array(rows);
    else if (this.kind === NODE_BOOLEAN) this.booleans = new Uint8Array(rows);
    else if (this.kind === NODE_BIGINT) this.int64s = new BigInt64Array(rows);
  }

  /** Takes the value of a row that is not of this node's kind. */
  misfit(row: number, value: unknown): void {
    this.tagged = true;
    if (value === null) this.tags[row] = ROW_NULL;
    else if (value === undefined) this.tags[row] = ROW_UNDEFINED;
    else {
      this.tags[row] = ROW_EXCEPTION;
      this.exceptionCount++;
      writeUnexplained(this.exceptions, value);
    }
  }

  /** For `NODE_ANY`. */
  any(value: unknown): void {
    writeUnexplained(this.values, value);
  }

  /** Moves `rows` rows into the batch. */
  emit(rows: number, body: BatchBody, head: ByteWriter): void {
    head.u8(this.tagged ? 1 : 0);
    if (this.tagged) {
      body.bytes(this.tags, rows);
      head.varuint(this.exceptions.position);
      body.bytes(this.exceptions.bytes, this.exceptions.position);
    }
    switch (this.kind) {
      case NODE_NUMBER:
        return head.u8(body.numbers(this.doubles, this.bits, rows));
      case NODE_INT:
        return head.u8(body.ints(this.ints, rows, this.magnitude));
      case NODE_STRING:
        head.u8(body.lengths(this.ints, rows, this.magnitude));
        this.ascii = body.text(this.text, head, this.ascii);
        return;
      case NODE_BOOLEAN:
        return body.bytes(this.booleans, rows);
      case NODE_DATE:
        return body.doubles(this.doubles, 0, rows);
      case NODE_BIGINT:
        return body.int64s(this.int64s, rows);
      case NODE_ANY:
        head.varuint(this.values.position);
        return body.bytes(this.values.bytes, this.values.position);
    }
  }
}
