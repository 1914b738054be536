import type { BatchBody } from "./batch-body.js";
import { NODE_ANY } from "./batch-format.js";
import { ANY_PLAN, nodesOf, outlineOf, planFor, writePlan, type PlanNode } from "./batch-plan.js";
import { ByteWriter } from "./byte-writer.js";
import { EncoderColumn } from "./encoder-column.js";
import { compileEncodeRun, type EncodeRun } from "./shape-encoder-code.js";

const SAMPLE_ROWS = 64;
/** A plan is reconsidered when more than a quarter of a batch's rows are exceptions somewhere in it. */
const EXCEPTION_SHARE = 4;
const MAX_ROWS_UNCHECKED = 16;

/** Encodes the records of one outline (the same keys, the same tuple length, the same scalar type). */
export class ShapeEncoder {
  readonly outline: string;
  /** Records taken in this batch. */
  private rows = 0;
  private plan!: PlanNode;
  private descriptor!: Uint8Array;
  private columns!: EncoderColumn[];
  private run: EncodeRun | undefined;
  private started = false;
  private batches = 0;
  private reconsiderAt = 1;

  /** `samples` are records of this outline; an empty outline takes every record. */
  constructor(outline: string, samples: readonly unknown[]) {
    this.outline = outline;
    this.adopt(outline === "" ? ANY_PLAN : planFor(samples));
  }

  private adopt(plan: PlanNode): void {
    this.plan = plan;
    this.columns = nodesOf(plan).map((node) => new EncoderColumn(node.kind));
    const writer = new ByteWriter(64);
    writePlan(writer, plan);
    this.descriptor = writer.finish();
    this.run = undefined;
  }

  private start(capacity: number): void {
    this.started = true;
    this.rows = 0;
    for (const column of this.columns) column.start(capacity);
  }

  /** Ends the batch, however it went. */
  end(): void {
    this.started = false;
  }

  /** Takes records from `values[from]` on while they have the shape; returns the index after the last. A batch has at most `capacity` records. */
  take(values: readonly unknown[], from: number, to: number, capacity: number): number {
    this.run ??= compileEncodeRun(this.plan, this.columns);
    if (!this.started) this.start(capacity);
    const next = this.run(values, from, to, this.rows);
    this.rows += next - from;
    return next;
  }

  /** Takes one record of any kind. Only for the empty outline; needs no generated code. */
  takeAny(value: unknown, capacity: number): void {
    if (!this.started) this.start(capacity);
    this.columns[0]!.any(value);
    this.rows++;
  }

  emit(body: BatchBody, head: ByteWriter): void {
    head.varuint(this.rows);
    head.varuint(this.descriptor.length);
    head.raw(this.descriptor);
    for (const column of this.columns) column.emit(this.rows, body, head);
  }

  /**
   * After a batch: makes a better plan when this one met many exceptions, or has columns of any values that might now be uniform.
   * At doubling intervals only, so that data which never settles does not keep the compiler busy.
   */
  reconsider(values: readonly unknown[], from: number, to: number): void {
    if (this.outline === "" || ++this.batches < this.reconsiderAt) return;
    const limit = Math.max(MAX_ROWS_UNCHECKED, this.rows / EXCEPTION_SHARE);
    const unsuitable = this.columns.some((column) => column.exceptionCount > limit || column.kind === NODE_ANY);
    if (!unsuitable) return;
    this.reconsiderAt = this.batches * 2;
    const samples = sample(values, from, to, this.outline);
    const plan = planFor(samples);
    if (samples.length > 0 && JSON.stringify(plan) !== JSON.stringify(this.plan)) this.adopt(plan);
  }
}

/** Up to 64 records of an outline, spread over the batch. */
export function sample(values: readonly unknown[], from: number, to: number, outline: string): unknown[] {
  // Odd, or it might see only every other kind of records that take turns.
  const step = Math.floor((to - from) / SAMPLE_ROWS) | 1;
  const samples: unknown[] = [];
  for (let i = from; i < to; i += step) if (outlineOf(values[i]) === outline) samples.push(values[i]);
  return samples;
}
