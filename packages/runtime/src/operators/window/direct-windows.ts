import {
  requireTimestamp, type AggregateFunction, type KeySelector, type OneInputOperator, type OperatorContext, type Output, type RecordBatch, type ReduceFn,
  type Slice, type SliceTable,
} from "@millrace/core";
import { specialize } from "../specialize.js";
import { accumulateFactory, type Accumulate } from "./accumulate.js";
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

export type MakeSliceWindows = (init: SliceWindowInit, accumulate: Accumulate) => OneInputOperator;

/** Re-evaluated per operator, see `specialize`. */
function directWindowsFactory(Base: typeof SliceWindowBase, Ends: typeof SortedEnds, checkTimestamp: typeof requireTimestamp): MakeSliceWindows {
  class DirectWindows extends Base implements OneInputOperator {
    private readonly keyOf: KeySelector<unknown, unknown>;
    private readonly accumulate: Accumulate;
    /** Whether results go out as they are, without a window function. */
    private readonly plain: boolean;
    private tables!: SliceTable<unknown, unknown>;
    private ends!: SortedEnds;
    // The last slice records went to, while it lies in one window only and no record of it can be late: [openFrom, openTo).
    private openFrom = Number.POSITIVE_INFINITY;
    private openTo = Number.NEGATIVE_INFINITY;
    private openTable: Slice<unknown, unknown> | undefined = undefined;

    constructor(init: SliceWindowInit, accumulate: Accumulate) {
      super(init.parts, init.geometry, init.context);
      this.keyOf = init.keySelector ?? (() => 0);
      this.accumulate = accumulate;
      this.plain = init.parts.emitter.isValue;
    }

    protected openTables(): void {
      this.tables = this.context.keyedState.sliceTable("window-contents");
      this.ends = new Ends(this.tables.namespaces());
    }

    protected closeFastPath(): void {
      this.openFrom = Number.POSITIVE_INFINITY;
      this.openTo = Number.NEGATIVE_INFINITY;
    }

    processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void {
      const state = this.context.keyedState;
      if (this.constantKey) state.setCurrentKey(0);
      const hash = state.currentKeyHash;
      if (timestampMs >= this.openFrom && timestampMs < this.openTo) this.add(this.openTable!, value, state.currentKey, hash);
      else this.addAnywhere(value, timestampMs, state.currentKey, hash, out);
    }

    processBatch(batch: RecordBatch, from: number, to: number, out: Output<unknown>): void {
      const { values, timestampsMs, keyHashes } = batch;
      const state = this.context.keyedState;
      for (let i = from; i < to; i++) {
        const value = values[i];
        const timestampMs = timestampsMs[i]!;
        const key = this.keyOf(value);
        let hash: number;
        if (keyHashes !== null) hash = keyHashes[i]!;
        else {
          state.setCurrentKey(key);
          hash = state.currentKeyHash;
        }
        if (timestampMs >= this.openFrom && timestampMs < this.openTo) this.add(this.openTable!, value, key, hash);
        else this.addAnywhere(value, timestampMs, key, hash, out);
      }
    }

    private add(table: Slice<unknown, unknown>, value: unknown, key: unknown, hash: number): number {
      const position = table.upsert(key, hash);
      const accumulator = table.get(position);
      table.set(position, accumulator === undefined ? this.accumulate.first(value) : this.accumulate.add(accumulator, value));
      return position;
    }

    private addAnywhere(value: unknown, timestampMs: number, key: unknown, hash: number, out: Output<unknown>): void {
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
        const position = this.add(table, value, key, hash);
        if (end - 1 <= watermarkMs) this.emit(end, key, hash, table.get(position), out);
      }
      if (first === last && first - 1 > watermarkMs && this.progress.caughtUp(this.watermarkMs)) {
        this.openFrom = sliceEnd - geometry.sliceMs;
        this.openTo = sliceEnd;
        this.openTable = this.table(first);
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
  return (init, accumulate) => new DirectWindows(init, accumulate);
}

/**
 * Aligned event-time windows with one table per window: tumbling windows, and sliding or cumulating ones whose aggregate cannot merge (there each
 * record goes into every window it belongs to).
 */
export function directWindows(init: SliceWindowInit): OneInputOperator {
  const id = init.context.operatorId;
  const make = specialize(directWindowsFactory, id)(SliceWindowBase, SortedEnds, requireTimestamp);
  return make(init, specialize(accumulateFactory, id)()(init.reduce, init.aggregate));
}
