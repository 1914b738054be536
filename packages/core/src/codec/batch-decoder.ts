import { RecordBatch } from "../record/record-batch.js";
import { COMPILE_AFTER_RECORDS, FLAG_COMBINED, FLAG_HASHES, FLAG_MARKS } from "./batch-format.js";
import { readMarks } from "./batch-marks.js";
import { BatchSource } from "./batch-source.js";
import { ByteReader } from "./byte-reader.js";
import { corrupt } from "./codec-errors.js";
import { ShapeDecoder } from "./shape-decoder.js";

const MAX_SHAPES = 64;

export interface BatchDecoderOptions {
  /**
   * How many records go by before code is generated; 0 generates at once, `Infinity` never: slower, for hosts that forbid `new Function`
   * and as a reference.
   */
  readonly compileAfterRecords?: number;
}

/**
 * Decodes what any {@link BatchEncoder} encoded, each buffer by itself. One per channel or edge keeps the generated code warm; never shared between threads.
 *
 * Strings of more than 12 characters share the text of their batch while they are in flight; use `detachValue` before keeping one.
 */
export class BatchDecoder {
  private readonly shapes = new Map<string, ShapeDecoder>();
  private compileAfterRecords: number;
  private seenRecords = 0;

  constructor(options: BatchDecoderOptions = {}) {
    this.compileAfterRecords = options.compileAfterRecords ?? COMPILE_AFTER_RECORDS;
  }

  /**
   * The batch with its time stamps, key hashes and marks, in arrays of its own; `buffer` is free afterwards.
   *
   * Anything that is not a whole batch is `CODEC_CORRUPT`; never is more allocated than a small multiple of the buffer's size.
   */
  decode(buffer: ArrayBuffer | Uint8Array): RecordBatch<any> {
    const source = new BatchSource(buffer);
    const { head } = source;
    const count = head.varuint();
    if (count > source.bytes.length) throw corrupt(`${count} records do not fit into ${source.bytes.length} bytes`, head.position);
    const flags = head.u8();
    if (flags > (FLAG_HASHES | FLAG_MARKS | FLAG_COMBINED)) throw corrupt("unknown flags", head.position);
    const values: unknown[] = [];
    values.length = count;
    const batch = new RecordBatch<unknown>(values, source.times(count), count);
    if ((flags & FLAG_HASHES) !== 0) batch.keyHashes = source.int32s(count).slice();
    if ((flags & FLAG_MARKS) !== 0) batch.marks = readMarks(head, count);
    batch.combined = (flags & FLAG_COMBINED) !== 0;
    this.seenRecords += count;
    this.readRecords(source, batch.values, count);
    return batch;
  }

  private readRecords(source: BatchSource, values: unknown[], count: number): void {
    const { head } = source;
    const groupCount = head.count(3);
    const runs = groupCount > 1 ? readRuns(head, groupCount) : undefined;
    const groups: ShapeDecoder[] = [];
    let rows = 0;
    for (let g = 0; g < groupCount; g++) {
      const groupRows = head.varuint();
      rows += groupRows;
      if (rows > count) throw corrupt("more rows than records", head.position);
      groups.push(this.group(source, groupRows, groups));
    }
    if (rows !== count) throw corrupt("fewer rows than records", head.position);
    if (runs === undefined) groups[0]?.take(values, 0, count);
    else interleave(groups, runs, values, count);
    for (const group of groups) group.release();
  }

  private group(source: BatchSource, rows: number, earlier: readonly ShapeDecoder[]): ShapeDecoder {
    const descriptor = source.head.raw(source.head.varuint());
    const key = new ByteReader(descriptor).latin1(descriptor.length);
    let shape = this.shapes.get(key);
    // Two groups may have one shape, and a shape holds one group at a time.
    if (shape === undefined || earlier.includes(shape)) {
      if (this.shapes.size >= MAX_SHAPES) this.shapes.clear();
      shape = new ShapeDecoder(new ByteReader(descriptor));
      this.shapes.set(key, shape);
    }
    try {
      shape.load(source, rows, this.seenRecords >= this.compileAfterRecords);
    } catch (error) {
      if (!(error instanceof EvalError)) throw error;
      this.compileAfterRecords = Infinity;
      shape.interpret();
    }
    return shape;
  }
}

function readRuns(head: ByteReader, groupCount: number): Uint32Array {
  const runs = new Uint32Array(head.count(2) * 2);
  for (let i = 0; i < runs.length; i += 2) {
    const group = head.varuint();
    if (group >= groupCount) throw corrupt("a run of no group", head.position);
    runs[i] = group;
    runs[i + 1] = Math.min(head.varuint(), 0xffff_ffff);
  }
  return runs;
}

function interleave(groups: readonly ShapeDecoder[], runs: Uint32Array, values: unknown[], count: number): void {
  let at = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const next = at + runs[i + 1]!;
    if (next > count) throw corrupt("runs are longer than the batch");
    groups[runs[i]!]!.take(values, at, next);
    at = next;
  }
  if (at !== count) throw corrupt("runs are shorter than the batch");
}
