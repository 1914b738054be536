import { NODE_OBJECT } from "./batch-format.js";
import { nodesOf, readPlan, type PlanNode } from "./batch-plan.js";
import type { BatchSource } from "./batch-source.js";
import type { ByteReader } from "./byte-reader.js";
import { corrupt } from "./codec-errors.js";
import { DecoderColumn } from "./decoder-column.js";
import { compileDecodeRun, interpretRun, type DecodeRun } from "./shape-decoder-code.js";

const MAX_VARIANTS = 32;

/** Decodes the groups of one shape. Code is generated per variant: which columns have tags, and which numbers are integers. */
export class ShapeDecoder {
  private readonly plan: PlanNode;
  private readonly columns: DecoderColumn[];
  private readonly variants = new Map<string, DecodeRun>();
  private run!: DecodeRun;
  private rows = 0;
  private row = 0;

  constructor(descriptor: ByteReader) {
    this.plan = readPlan(descriptor);
    if (descriptor.remaining !== 0) throw corrupt("a record shape is malformed", descriptor.position);
    this.columns = nodesOf(this.plan).map((node) => new DecoderColumn(node.kind));
  }

  load(source: BatchSource, rows: number, compile: boolean): void {
    this.rows = rows;
    this.row = 0;
    let variant = "";
    for (const column of this.columns) {
      column.load(source, rows);
      if (column.kind < NODE_OBJECT) variant += column.tagged ? (column.integer ? "a" : "b") : column.integer ? "c" : "d";
      else variant += column.tagged ? "b" : "d";
    }
    this.run = this.variants.get(variant) ?? this.generate(variant, compile);
  }

  private generate(variant: string, compile: boolean): DecodeRun {
    if (!compile || this.variants.size >= MAX_VARIANTS) return interpretRun(this.plan, this.columns);
    const run = compileDecodeRun(this.plan, this.columns);
    this.variants.set(variant, run);
    return run;
  }

  /** Does without generated code, after {@link load} found it forbidden. */
  interpret(): void {
    this.run = interpretRun(this.plan, this.columns);
  }

  /** Fills `values[from…to)` with the group's next rows. */
  take(values: unknown[], from: number, to: number): void {
    if (to - from > this.rows - this.row) throw corrupt("a run is longer than its group");
    this.run(values, from, to, this.row);
    this.row += to - from;
  }

  release(): void {
    for (const column of this.columns) column.release();
  }
}
