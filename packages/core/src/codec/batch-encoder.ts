import type { RecordBatch } from "../record/record-batch.js";
import { BatchBody } from "./batch-body.js";
import { COMPILE_AFTER_RECORDS, FLAG_COMBINED, FLAG_HASHES, FLAG_MARKS } from "./batch-format.js";
import { marksWithin, writeMarks } from "./batch-marks.js";
import { outlineOf } from "./batch-plan.js";
import type { BufferPool } from "./buffer-pool.js";
import { ByteWriter } from "./byte-writer.js";
import { sample, ShapeEncoder } from "./shape-encoder.js";
import { explainUnencodable, UNENCODABLE } from "./unencodable.js";
import { writeUnexplained } from "./value-writer.js";

const MAX_SHAPES = 16;
/** After this many batches, shapes are learnt anew when many records have none. */
const RELEARN_BATCHES = 256;

export interface BatchEncoderOptions {
  /**
   * How many records go by before code is generated; 0 generates at once, `Infinity` never: slower, for hosts that forbid `new Function`
   * and as a reference.
   */
  readonly compileAfterRecords?: number;
  /** Where buffers to fill come from; what is encoded then belongs to the caller for good, and may have as much padding at its end as it has content. */
  readonly buffers?: BufferPool;
}

/**
 * Encodes batches for an exchange: one column per field, by code generated for the shapes it sees, exact for all that {@link encodeValue} carries.
 *
 * One per channel or edge, never shared between threads. It learns the shapes of its records; a record that fits none costs more, nothing else.
 * Each buffer stands alone and any {@link BatchDecoder} reads it, earlier ones or not.
 */
export class BatchEncoder {
  private readonly body: BatchBody;
  private readonly head = new ByteWriter(256);
  private readonly runs = new ByteWriter(64);
  private readonly any = new ShapeEncoder("", []);
  /** Most recently used first. */
  private shapes: ShapeEncoder[] = [];
  private compileAfterRecords: number;
  private seenRecords = 0;
  /** The groups of the batch being encoded, in order of appearance. */
  private readonly groups: ShapeEncoder[] = [];
  private runCount = 0;
  private runShape: ShapeEncoder | undefined;
  private runLength = 0;
  private capacity = 0;
  private batches = 0;
  private records = 0;
  private anyRecords = 0;

  constructor(options: BatchEncoderOptions = {}) {
    this.body = new BatchBody(options.buffers);
    this.compileAfterRecords = options.compileAfterRecords ?? COMPILE_AFTER_RECORDS;
  }

  /**
   * Encodes the records `[from, to)` of a batch with their time stamps and key hashes, and the marks that follow them
   * (those before the first record go with `from` 0). The buffer is the caller's; without a pool it has exactly the right size.
   *
   * A record that cannot be carried is `RECORD_NOT_ENCODABLE` naming the record and the place in it; the encoder stays usable.
   */
  encode(batch: RecordBatch<any>, from: number = 0, to: number = batch.count): ArrayBuffer {
    const { values } = batch;
    try {
      this.takeRecords(values, from, to);
    } catch (error) {
      throw error === UNENCODABLE ? explainRecord(values, from, to) : error;
    }
    const buffer = this.assemble(batch, from, to);
    this.learn(values, from, to);
    return buffer;
  }

  private takeRecords(values: readonly unknown[], from: number, to: number): void {
    this.start(to - from);
    this.seenRecords += to - from;
    if (this.seenRecords >= this.compileAfterRecords) {
      try {
        return this.takeShaped(values, from, to);
      } catch (error) {
        // Generated code is forbidden here for good; a column's text longer than the longest string concerns this batch only.
        if (error instanceof EvalError) this.compileAfterRecords = Infinity;
        else if (!(error instanceof RangeError)) throw error;
        this.start(to - from);
      }
    }
    for (let i = from; i < to; i++) this.takeAny(values[i]);
  }

  private start(records: number): void {
    for (const shape of this.shapes) shape.end();
    this.any.end();
    this.groups.length = 0;
    this.runs.clear();
    this.runCount = 0;
    this.runShape = undefined;
    this.runLength = 0;
    this.capacity = records;
  }

  private takeShaped(values: readonly unknown[], from: number, to: number): void {
    for (let i = from; i < to; ) {
      const next = this.takeKnown(values, i, to) || this.takeNew(values, i, to);
      if (next !== 0) i = next;
      else this.takeAny(values[i++]);
    }
  }

  /** Lets the known shapes try, the one that took records last first. Returns the index after what was taken, or 0. */
  private takeKnown(values: readonly unknown[], i: number, to: number): number {
    const { shapes } = this;
    for (let s = 0; s < shapes.length; s++) {
      const shape = shapes[s]!;
      const next = shape.take(values, i, to, this.capacity);
      if (next === i) continue;
      for (; s > 0; s--) shapes[s] = shapes[s - 1]!;
      shapes[0] = shape;
      this.took(shape, next - i);
      return next;
    }
    return 0;
  }

  private takeNew(values: readonly unknown[], i: number, to: number): number {
    if (this.shapes.length >= MAX_SHAPES) return 0;
    const outline = outlineOf(values[i]);
    if (outline === "" || outline === "?" || this.shapes.some((shape) => shape.outline === outline)) return 0;
    const shape = new ShapeEncoder(outline, sample(values, i, to, outline));
    this.shapes.unshift(shape);
    const next = shape.take(values, i, to, this.capacity);
    if (next === i) return 0;
    this.took(shape, next - i);
    return next;
  }

  private takeAny(value: unknown): void {
    this.any.takeAny(value, this.capacity);
    this.anyRecords++;
    this.took(this.any, 1);
  }

  private took(shape: ShapeEncoder, records: number): void {
    if (shape === this.runShape) {
      this.runLength += records;
      return;
    }
    this.endRun();
    if (!this.groups.includes(shape)) this.groups.push(shape);
    this.runShape = shape;
    this.runLength = records;
  }

  private endRun(): void {
    if (this.runShape === undefined) return;
    this.runs.varuint(this.groups.indexOf(this.runShape));
    this.runs.varuint(this.runLength);
    this.runCount++;
  }

  private assemble(batch: RecordBatch<any>, from: number, to: number): ArrayBuffer {
    const { body, head } = this;
    const marks = batch.marks === null ? 0 : marksWithin(batch.marks, from, to);
    this.endRun();
    body.start();
    head.clear();
    head.varuint(to - from);
    head.u8((batch.keyHashes === null ? 0 : FLAG_HASHES) | (marks === 0 ? 0 : FLAG_MARKS) | (batch.combined ? FLAG_COMBINED : 0));
    body.times(batch.timestampsMs, from, to, head);
    if (batch.keyHashes !== null) body.words(batch.keyHashes, from, to);
    if (marks !== 0) writeMarks(head, batch.marks!, from, to, marks);
    head.varuint(this.groups.length);
    if (this.groups.length > 1) {
      head.varuint(this.runCount);
      head.raw(this.runs.written());
    }
    for (const group of this.groups) group.emit(body, head);
    return body.finish(head, to - from);
  }

  private learn(values: readonly unknown[], from: number, to: number): void {
    for (const group of this.groups) group.reconsider(values, from, to);
    this.records += to - from;
    if (++this.batches % RELEARN_BATCHES !== 0) return;
    if (this.anyRecords * 4 > this.records) this.shapes = [];
    this.records = 0;
    this.anyRecords = 0;
  }
}

function explainRecord(values: readonly unknown[], from: number, to: number): Error {
  const scratch = new ByteWriter(256);
  for (let i = from; i < to; i++) {
    scratch.clear();
    try {
      writeUnexplained(scratch, values[i]);
    } catch {
      return explainUnencodable(values[i], `record ${i}: $`);
    }
  }
  return explainUnencodable(values[from], `record ${from}: $`);
}
