import {
  requireTimestamp, type AggregateFunction, type KeySelector, type OneInputOperator, type OperatorContext, type Output, type RecordBatch, type ReduceFn,
  type Slice, type SliceTable,
} from "@millrace/core";
import { specialize } from "../specialize.js";
import { accumulateFactory, type Accumulate } from "./accumulate.js";
import { batchAdder, type BatchAdder, type MakeBatchAdder } from "./batch-adder.js";
import type { SliceGeometry } from "./slice-geometry.js";
import { SliceWindowBase } from "./slice-window-base.js";
import { SortedEnds } from "./sorted-ends.js";
import type { WindowParts } from "./window-parts.js";

/** What the aligned-window operators are made of. */
export interface SliceWindowInit {
  readonly parts: WindowParts;
  readonly geometry: SliceGeometry;
  readonly context: OperatorContext;
  readonly keySelector: KeySelector<unknown, unknown> | undefined;
  readonly reduce: ReduceFn<unknown> | undefined;
  readonly aggregate: AggregateFunction<unknown, unknown, unknown> | undefined;
}

export type MakeSliceWindows = (init: SliceWindowInit, accumulate: Accumulate, makeAdder: MakeBatchAdder) => OneInputOperator;

/** Re-evaluated per operator, see `specialize`. */
function directWindowsFactory(Base: typeof SliceWindowBase, Ends: typeof SortedEnds, checkTimestamp: typeof requireTimestamp): MakeSliceWindows {
  class DirectWindows extends Base implements OneInputOperator {
    private readonly accumulate: Accumulate;
    /** Whether results go out as they are, without a window function. */
    private readonly plain: boolean;
    private tables!: SliceTable<unknown, unknown>;
    private ends!: SortedEnds;
    private readonly adder: BatchAdder;

    constructor(init: SliceWindowInit, accumulate: Accumulate, makeAdder: MakeBatchAdder) {
      super(init.parts, init.geometry, init.context);
      this.accumulate = accumulate;
      this.adder = makeAdder(init.keySelector ?? (() => 0), accumulate, this);
      this.plain = init.parts.emitter.isValue;
    }

    protected openTables(): void {
      this.tables = this.context.keyedState.sliceTable("window-contents");
      this.ends = new Ends(this.tables.namespaces());
    }

    protected closeFastPath(): void {
      this.adder.close();
    }

    processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void {
      const state = this.context.keyedState;
      if (this.constantKey) state.setCurrentKey(0);
      const hash = state.currentKeyHash;
      this.adder.addRecord(value, timestampMs, state.currentKey, hash, out);
    }

    processBatch(batch: RecordBatch, from: number, to: number, out: Output<unknown>): void {
      this.adder.addBatch(batch, from, to, out);
    }

    processCombined({ values, timestampsMs, keyHashes }: RecordBatch, from: number, to: number, out: Output<unknown>): void {
      this.finishRestored(out);
      for (let i = from; i < to; i++) {
        const [key, accumulator] = values[i] as readonly [unknown, unknown];
        const hash = keyHashes![i]!;
        // Functions that merge come here with windows that do not overlap only.
        const end = this.geometry.firstWindowEnd(this.geometry.sliceEnd(timestampsMs[i]!));
        if (end - 1 <= this.progress.watermarkOf(hash, this.watermarkMs)) this.late.add(values[i], timestampsMs[i]!, out);
        else this.adder.merge(this.table(end), accumulator, key, hash);
      }
    }

    addAnywhere(value: unknown, timestampMs: number, key: unknown, hash: number, out: Output<unknown>): void {
      checkTimestamp(timestampMs);
      this.finishRestored(out);
      const geometry = this.geometry;
      const latenessMs = this.allowedLatenessMs;
      const watermarkMs = this.progress.watermarkOf(hash, this.watermarkMs);
      const sliceEnd = geometry.sliceEnd(timestampMs);
      const first = geometry.firstWindowEnd(sliceEnd);
      const last = geometry.lastWindowEnd(sliceEnd);
      // Between two windows (last < first), or all its windows are gone.
      if (last < first || last - 1 + latenessMs <= watermarkMs) {
        if (timestampMs + latenessMs <= watermarkMs) this.late.add(value, timestampMs, out);
        return;
      }
      for (let end = last; end >= first; end -= geometry.slideMs) {
        if (end - 1 + latenessMs <= watermarkMs) break;
        const table = this.table(end);
        const position = this.adder.add(table, value, key, hash);
        if (end - 1 <= watermarkMs) this.emit(end, key, hash, table.get(position), out);
      }
      if (first === last && first - 1 > watermarkMs && this.progress.caughtUp(this.watermarkMs)) {
        this.adder.open(sliceEnd - geometry.sliceMs, sliceEnd, this.table(first));
      }
    }

    private table(end: number): Slice<unknown, unknown> {
      const existing = this.tables.existing(end);
      if (existing !== undefined) return existing;
      this.ends.add(end);
      return this.tables.slice(end);
    }

    protected nextWindowEnd(end: number): number | undefined {
      return this.ends.ends[this.ends.firstAfter(end)];
    }

    protected fire(windowEnd: number, out: Output<unknown>): boolean {
      const table = this.tables.existing(windowEnd)!;
      const window = this.windowOf(windowEnd);
      const check = this.progress.mayBeEmitted(windowEnd);
      const plain = this.plain;
      const size = table.size;
      for (let position = this.cursor; position < size; position++) {
        if ((position & 15) === 0 && this.pause(out)) {
          this.cursor = position;
          return false;
        }
        if (check && this.progress.isEmitted(windowEnd, table.keyAt(position), table.hashAt(position))) continue;
        const result = this.accumulate.result(table.get(position));
        if (plain) out.collect(result, windowEnd - 1);
        else this.emitThroughFunction(table.keyAt(position), table.hashAt(position), window, result, out);
      }
      return true;
    }

    private emit(windowEnd: number, key: unknown, hash: number, accumulator: unknown, out: Output<unknown>): void {
      const result = this.accumulate.result(accumulator);
      if (this.plain) out.collect(result, windowEnd - 1);
      else this.emitThroughFunction(key, hash, this.windowOf(windowEnd), result, out);
    }

    protected markEmitted(windowEnd: number, from: number, to: number): void {
      const table = this.tables.existing(windowEnd)!;
      for (let position = from; position < to; position++) this.progress.markEmitted(windowEnd, table.keyAt(position), table.hashAt(position));
    }

    protected cleanUp(): void {
      const ends = this.ends.ends;
      let gone = 0;
      while (gone < ends.length && ends[gone]! - 1 + this.allowedLatenessMs <= this.watermarkMs) this.tables.drop(ends[gone++]!);
      this.ends.removeFirst(gone);
    }
  }
  return (init, accumulate, makeAdder) => new DirectWindows(init, accumulate, makeAdder);
}

/**
 * Aligned event-time windows with one table per window: tumbling windows, and sliding or cumulating ones whose aggregate cannot merge (there each
 * record goes into every window it belongs to).
 */
export function directWindows(init: SliceWindowInit): OneInputOperator {
  const id = init.context.operatorId;
  const make = specialize(directWindowsFactory, id)(SliceWindowBase, SortedEnds, requireTimestamp);
  return make(init, specialize(accumulateFactory, id)()(init.reduce, init.aggregate), batchAdder(id));
}
