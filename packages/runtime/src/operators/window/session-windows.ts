import {
  MIN_WATERMARK, requireTimestamp, TimeWindow,
  type AggregateFunction, type KeySelector, type OneInputOperator, type OperatorContext, type Output, type RecordBatch, type ReduceFn, type Slice,
  type StateInitializationContext, type StateSnapshotContext,
} from "@millrace/core";
import { EMISSION_BUDGET } from "../emission-budget.js";
import { FunctionOperator } from "../function-operator.js";
import { KeyRun, upsertRun } from "../key-run.js";
import { specialize } from "../specialize.js";
import { accumulateFactory, type Accumulate } from "./accumulate.js";
import { BLOCK_SHIFT, DueBounds } from "./due-bounds.js";
import { LateRecords } from "./late-records.js";
import { RestoredWatermark } from "./restored-watermark.js";
import { dueOf, insertSession, overlapping, SESSION_WIDTH, type Sessions } from "./session-list.js";
import { SessionSpans } from "./session-spans.js";
import type { WindowParts } from "./window-parts.js";

/** What the session operator is made of. */
export interface SessionWindowInit {
  readonly parts: WindowParts;
  readonly context: OperatorContext;
  readonly keySelector: KeySelector<unknown, unknown> | undefined;
  readonly gapOf: (value: unknown) => number;
  readonly reduce: ReduceFn<unknown> | undefined;
  readonly aggregate: AggregateFunction<unknown, unknown, unknown> | undefined;
}
type Make = (init: SessionWindowInit, accumulate: Accumulate) => OneInputOperator;

/** What the operator needs, since its text is evaluated apart. */
const parts = {
  Base: FunctionOperator, Late: LateRecords, Restored: RestoredWatermark, Window: TimeWindow, Run: KeyRun, Spans: SessionSpans, Bounds: DueBounds,
  upsertRun, checkTimestamp: requireTimestamp, overlapping, insertSession, dueOf, noWatermark: MIN_WATERMARK, budget: EMISSION_BUDGET, blockShift: BLOCK_SHIFT, width: SESSION_WIDTH,
};

/** Re-evaluated per operator, see `specialize`. */
function sessionWindowsFactory(p: typeof parts): Make {
  const { Window, checkTimestamp, overlapping: overlap, insertSession: insert, dueOf: due, width, blockShift } = p;
  const NEVER = Number.POSITIVE_INFINITY;

  /**
   * The one session of a key is a row: start and end in `spans`, the accumulator as the value in the slice table. A key with other sessions, more than one
   * or one that was emitted and may still change, has all of them in its value as a list, until that is over. Snapshots contain lists only.
   *
   * Invariant between calls: a session in a row ends after the watermark.
   */
  class SessionWindows extends p.Base implements OneInputOperator {
    private readonly accumulate: Accumulate;
    private readonly parts: WindowParts;
    private readonly keyOf: (value: unknown) => unknown;
    private readonly gapOf: (value: unknown) => number;
    private readonly latenessMs: number;
    private readonly late: LateRecords;
    private readonly restored: RestoredWatermark = new p.Restored();
    private readonly run: KeyRun = new p.Run();
    private readonly spans: SessionSpans = new p.Spans();
    private readonly bounds: DueBounds = new p.Bounds();
    /** Keys that were entered for a record that came too late for them. */
    private readonly empty: unknown[] = [];
    private table!: Slice<unknown, unknown>;
    private watermarkMs: number = p.noWatermark;
    private restoring = false;

    constructor(init: SessionWindowInit, accumulate: Accumulate) {
      super(init.context, init.parts.emitter.rich);
      this.accumulate = accumulate;
      this.parts = init.parts;
      this.keyOf = init.keySelector ?? (() => 0);
      this.gapOf = init.gapOf;
      this.latenessMs = init.parts.allowedLatenessMs;
      this.late = new p.Late(init.context, init.parts.lateTag);
    }

    protected override setup(context: StateInitializationContext): void {
      this.restored.open(context);
      this.watermarkMs = this.restored.timestampMs;
      this.restoring = this.watermarkMs !== p.noWatermark;
      const table = this.context.keyedState.sliceTable<unknown>("sessions").slice(0);
      table.composeValues?.((position, value) => this.listOf(position, value));
      this.table = table;
      this.spans.reach(table.size);
      // When restored sessions are due is found out when they are looked through first.
      for (let position = 0; position < table.size; position += 1 << blockShift) this.bounds.lower(position, -NEVER);
      this.parts.emitter.open(this.context, true, () => this.watermarkMs);
    }

    override snapshotState(context: StateSnapshotContext): void | Promise<void> {
      this.restored.snapshot(this.watermarkMs);
      return super.snapshotState(context);
    }

    processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void {
      const state = this.context.keyedState;
      if (this.parts.constantKey) state.setCurrentKey(0);
      const key = state.currentKey;
      const hash = state.currentKeyHash;
      if (this.restoring) this.finishRestored(out);
      const position = this.table.upsert(key, hash);
      this.spans.reach(this.table.size);
      this.add(position, key, hash, value, timestampMs, out);
      if (this.empty.length > 0) this.removeEmpty();
    }

    processBatch(batch: RecordBatch, from: number, to: number, out: Output<unknown>): void {
      if (this.restoring) this.finishRestored(out);
      const { run, spans } = this;
      const { keys, positions } = run;
      for (let start = from; start < to; ) {
        const end = p.upsertRun(run, this.table, this.context.keyedState, this.keyOf, batch, start, to);
        spans.reach(this.table.size);
        spans.touch(positions, end - start);
        const { values, timestampsMs, keyHashes } = batch;
        const hashes = keyHashes ?? run.hashes;
        const first = keyHashes === null ? start : 0;
        for (let i = start; i < end; i++) this.add(positions[i - start]!, keys[i - start], hashes[i - first]!, values[i], timestampsMs[i]!, out);
        if (this.empty.length > 0) this.removeEmpty();
        start = end;
      }
    }

    private add(position: number, key: unknown, hash: number, value: unknown, timestampMs: number, out: Output<unknown>): void {
      checkTimestamp(timestampMs);
      const { table, spans } = this;
      const untilMs = timestampMs + this.gapOf(value);
      const startMs = spans.start(position);
      const endMs = spans.end(position);
      if (endMs >= timestampMs && startMs <= untilMs) {
        if (timestampMs < startMs || untilMs > endMs) spans.set(position, Math.min(startMs, timestampMs), Math.max(endMs, untilMs));
        const accumulator = table.get(position);
        const next = this.accumulate.add(accumulator, value);
        if (next === undefined) this.keep(position, [spans.start(position), spans.end(position), next, 0]);
        else if (next !== accumulator || typeof next === "number") table.set(position, next);
        return;
      }
      const held = table.get(position);
      const isRow = endMs === endMs;
      if (held === undefined || isRow) {
        if (untilMs - 1 + this.latenessMs <= this.watermarkMs) {
          this.dropLate(value, timestampMs, out);
          if (held === undefined) this.empty.push(key, hash);
          return;
        }
        if (held === undefined && untilMs - 1 > this.watermarkMs) {
          const accumulator = this.accumulate.first(value);
          if (accumulator === undefined) this.keep(position, [timestampMs, untilMs, accumulator, 0]);
          else {
            spans.set(position, timestampMs, untilMs);
            table.set(position, accumulator);
          }
          this.bounds.lower(position, untilMs - 1);
          return;
        }
      }
      const list: Sessions = held === undefined ? [] : isRow ? [startMs, endMs, held, 0] : (held as Sessions);
      this.addToList(list, position, key, hash, value, timestampMs, untilMs, out);
    }

    private addToList(
      list: Sessions, position: number, key: unknown, hash: number, value: unknown, timestampMs: number, untilMs: number, out: Output<unknown>,
    ): void {
      let at = overlap(list, timestampMs, untilMs);
      if (at < 0) {
        if (untilMs - 1 + this.latenessMs <= this.watermarkMs) return this.dropLate(value, timestampMs, out);
        at = insert(list, timestampMs, untilMs, this.accumulate.first(value));
      } else {
        this.absorb(list, at, timestampMs, untilMs);
        list[at + 2] = this.accumulate.add(list[at + 2], value);
      }
      const isOver = (list[at + 1] as number) - 1 <= this.watermarkMs;
      list[at + 3] = isOver ? 1 : 0;
      this.keep(position, list);
      this.bounds.lower(position, due(list, this.latenessMs));
      if (!isOver) return;
      this.context.keyedState.setCurrentKey(key, hash);
      this.emit(list[at] as number, list[at + 1] as number, list[at + 2], key, out);
    }

    /** A record whose own window is over; it may still be allowed by the lateness of records. */
    private dropLate(value: unknown, timestampMs: number, out: Output<unknown>): void {
      if (timestampMs + this.latenessMs <= this.watermarkMs) this.late.add(value, timestampMs, out);
    }

    /** Extends the session at `at` to the given bounds, and merges those it now touches into it. */
    private absorb(list: Sessions, at: number, startMs: number, endMs: number): void {
      if (startMs < (list[at] as number)) list[at] = startMs;
      if (endMs > (list[at + 1] as number)) list[at + 1] = endMs;
      const next = at + width;
      while (next < list.length && (list[next] as number) <= (list[at + 1] as number)) {
        if ((list[next + 1] as number) > (list[at + 1] as number)) list[at + 1] = list[next + 1];
        list[at + 2] = this.accumulate.merge(list[at + 2], list[next + 2]);
        list.splice(next, width);
      }
    }

    /** Stores the sessions of a key, of which it has some: as a row if they fit into one. */
    private keep(position: number, list: Sessions): void {
      // The table first: a running snapshot may write what there was.
      if (list.length === width && list[3] === 0 && list[2] !== undefined) {
        this.table.set(position, list[2]);
        this.spans.set(position, list[0] as number, list[1] as number);
      } else {
        this.table.set(position, list);
        this.spans.clear(position);
      }
    }

    private listOf(position: number, value: unknown): Sessions {
      const endMs = this.spans.end(position);
      return endMs === endMs ? [this.spans.start(position), endMs, value, 0] : (value as Sessions);
    }

    processWatermark(timestampMs: number, out: Output<unknown>): boolean | void {
      if (this.restoring) this.finishRestored(out);
      if (timestampMs > this.watermarkMs) this.watermarkMs = timestampMs;
      if (!this.emitDue(p.budget, out)) return false;
      out.emitWatermark(timestampMs);
    }

    /** Emits what a snapshot in the middle of an emission had left, before anything else happens. */
    private finishRestored(out: Output<unknown>): void {
      this.restoring = false;
      this.emitDue(NEVER, out);
    }

    /**
     * Looks through the blocks that may be due; false when it paused. Downwards, since a key that leaves is replaced by the last one, which was looked at
     * before. What was looked through is not due any more, so that going on is beginning again.
     */
    private emitDue(budget: number, out: Output<unknown>): boolean {
      const { bounds, spans, table, watermarkMs } = this;
      if (bounds.earliestMs > watermarkMs) return true;
      const size = 1 << blockShift;
      let left = budget;
      for (let block = bounds.lastDue(watermarkMs, NEVER); block >= 0; block = bounds.lastDue(watermarkMs, block)) {
        let dueMs = NEVER;
        const first = block << blockShift;
        for (let position = Math.min(table.size, first + size) - 1; position >= first; position--) {
          let rowDueMs = spans.end(position) - 1;
          if (!(rowDueMs > watermarkMs)) {
            if (budget !== NEVER && (left-- <= 0 || ((left & 15) === 0 && left < budget - 1 && out.blocked))) return false;
            rowDueMs = this.advance(position, out);
          }
          if (rowDueMs < dueMs) dueMs = rowDueMs;
        }
        bounds.raise(block, dueMs);
        left -= size >>> 4;
      }
      return true;
    }

    /** Emits and drops what is due of a key; returns when it, or the key that takes its place, is due again. */
    private advance(position: number, out: Output<unknown>): number {
      const { table, spans, watermarkMs, latenessMs } = this;
      const key = table.keyAt(position);
      const hash = table.hashAt(position);
      const endMs = spans.end(position);
      if (endMs === endMs && latenessMs === 0) {
        this.context.keyedState.setCurrentKey(key, hash);
        this.emit(spans.start(position), endMs, table.get(position), key, out);
        return this.remove(position, key, hash);
      }
      const list = this.listOf(position, table.get(position));
      let at = 0;
      while (at < list.length) {
        const maxTimestampMs = (list[at + 1] as number) - 1;
        if (maxTimestampMs <= watermarkMs && list[at + 3] === 0) {
          list[at + 3] = 1;
          this.context.keyedState.setCurrentKey(key, hash);
          this.emit(list[at] as number, maxTimestampMs + 1, list[at + 2], key, out);
        }
        if (maxTimestampMs + latenessMs <= watermarkMs) list.splice(at, width);
        else at += width;
      }
      if (list.length === 0) return this.remove(position, key, hash);
      this.keep(position, list);
      return due(list, latenessMs);
    }

    /** Removes a key; returns when the one that takes its place is due. */
    private remove(position: number, key: unknown, hash: number): number {
      const { table, spans } = this;
      const last = table.size - 1;
      table.delete(key, hash);
      const startMs = spans.start(last);
      const endMs = spans.end(last);
      spans.clear(last);
      if (position === last) return NEVER;
      spans.set(position, startMs, endMs);
      if (endMs === endMs) return endMs - 1;
      const list = table.get(position);
      return list === undefined ? NEVER : due(list as Sessions, this.latenessMs);
    }

    /** Removes the keys that were entered for late records and got no session since. */
    private removeEmpty(): void {
      const { empty, table } = this;
      for (let i = 0; i < empty.length; i += 2) {
        const hash = empty[i + 1] as number;
        const position = table.find(empty[i], hash);
        if (position < 0 || table.get(position) !== undefined) continue;
        const dueMs = this.remove(position, empty[i], hash);
        if (dueMs !== NEVER) this.bounds.lower(position, dueMs);
      }
      empty.length = 0;
    }

    private emit(startMs: number, endMs: number, accumulator: unknown, key: unknown, out: Output<unknown>): void {
      const result = this.accumulate.result(accumulator);
      if (this.parts.emitter.isValue) out.collect(result, endMs - 1);
      // Sessions have no state of their own, which the window's name would be for.
      else this.parts.emitter.emitOne(key, new Window(startMs, endMs), "", result, out);
    }
  }

  return (init, accumulate) => new SessionWindows(init, accumulate);
}

/**
 * Event-time sessions with a reduce or aggregate function: a key's session is a row of columns, and looking through blocks of rows replaces timers. Results
 * equal those of the general window operator; emissions are resumable.
 */
export function sessionWindows(init: SessionWindowInit): OneInputOperator {
  const id = init.context.operatorId;
  return specialize(sessionWindowsFactory, id)(parts)(init, specialize(accumulateFactory, id)()(init.reduce, init.aggregate));
}
