import {
  MIN_WATERMARK, requireTimestamp, timeWindowCodec, TimeWindow,
  type AggregateFunction, type OneInputOperator, type OperatorContext, type Output, type ReduceFn, type Slice, type SliceTable, type StateInitializationContext,
  type StateSnapshotContext,
} from "@millrace/core";
import { EMISSION_BUDGET } from "../emission-budget.js";
import { FunctionOperator } from "../function-operator.js";
import { specialize } from "../specialize.js";
import { accumulateFactory, type Accumulate } from "./accumulate.js";
import { LateRecords } from "./late-records.js";
import { RestoredWatermark } from "./restored-watermark.js";
import { SortedEnds } from "./sorted-ends.js";
import type { WindowParts } from "./window-parts.js";

/** What the session operator is made of. */
export interface SessionWindowInit {
  readonly parts: WindowParts;
  readonly context: OperatorContext;
  readonly gapOf: (value: unknown) => number;
  readonly reduce: ReduceFn<unknown> | undefined;
  readonly aggregate: AggregateFunction<unknown, unknown, unknown> | undefined;
}
type Make = (init: SessionWindowInit, accumulate: Accumulate) => OneInputOperator;

/**
 * A key's sessions in one flat array: the bucket in which the key is due, then start, end, accumulator and whether it was emitted (0 or 1) of each session,
 * ascending and disjoint. Flat, so that the common key with one session is one small object that is changed in place.
 */
type Sessions = [bucketMs: number, ...rest: unknown[]];

/** Re-evaluated per operator, see `specialize`. */
function sessionWindowsFactory(
  Base: typeof FunctionOperator, Late: typeof LateRecords, Restored: typeof RestoredWatermark, Ends: typeof SortedEnds, Window: typeof TimeWindow,
  codec: typeof timeWindowCodec, checkTimestamp: typeof requireTimestamp, constants: { readonly noWatermark: number; readonly budget: number },
): Make {
  /** Fields per session. */
  const WIDTH = 4;
  const NEVER = Number.POSITIVE_INFINITY;

  class SessionWindows extends Base implements OneInputOperator {
    private readonly accumulate: Accumulate;
    private readonly parts: WindowParts;
    private readonly gapOf: (value: unknown) => number;
    private readonly latenessMs: number;
    private readonly late: LateRecords;
    private readonly restored: RestoredWatermark = new Restored();
    private sessionsByKey!: Slice<unknown, Sessions>;
    /**
     * Keys by the time at which they have something to emit or to drop, rounded down: a calendar in place of timers. A key is due in the bucket that its
     * sessions name; other entries are stale. Extending a session leaves its key where it is, to be moved when its bucket comes.
     */
    private calendar!: SliceTable<unknown, number>;
    private buckets!: SortedEnds;
    private bucketWidthMs = 0;
    /** The earliest time anything in a bucket is due, so that one that is only begun is not looked through at every watermark. Absent: unknown. */
    private readonly dueFrom: Map<number, number> = new Map();
    private watermarkMs: number = constants.noWatermark;
    private restoring = false;
    /** Where an emission that paused goes on: in which bucket, from which position downwards, and what is due first behind it. */
    private paused: { readonly bucketMs: number; readonly position: number; readonly dueFromMs: number } | undefined = undefined;

    constructor(init: SessionWindowInit, accumulate: Accumulate) {
      super(init.context, init.parts.emitter.rich);
      this.accumulate = accumulate;
      this.parts = init.parts;
      this.gapOf = init.gapOf;
      this.latenessMs = init.parts.allowedLatenessMs;
      this.late = new Late(init.context, init.parts.lateTag);
    }

    protected override setup(context: StateInitializationContext): void {
      this.restored.open(context);
      this.watermarkMs = this.restored.timestampMs;
      this.restoring = this.watermarkMs !== constants.noWatermark;
      this.sessionsByKey = this.context.keyedState.sliceTable<Sessions>("sessions").slice(0);
      this.calendar = this.context.keyedState.sliceTable<number>("session-calendar");
      this.buckets = new Ends(this.calendar.namespaces());
      this.parts.emitter.open(this.context, true, () => this.watermarkMs);
    }

    override snapshotState(context: StateSnapshotContext): void | Promise<void> {
      this.restored.snapshot(this.watermarkMs);
      return super.snapshotState(context);
    }

    processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void {
      checkTimestamp(timestampMs);
      const state = this.context.keyedState;
      if (this.parts.constantKey) state.setCurrentKey(0);
      const key = state.currentKey;
      const hash = state.currentKeyHash;
      if (this.restoring) {
        this.finishRestored(out);
        state.setCurrentKey(key, hash);
      }
      const endMs = timestampMs + this.gapOf(value);
      const watermarkMs = this.watermarkMs;
      const table = this.sessionsByKey;
      let position = table.find(key, hash);
      let sessions = position < 0 ? undefined : table.get(position);
      let at = sessions === undefined ? -1 : overlapping(sessions, timestampMs, endMs);
      if (at < 0) {
        if (endMs - 1 + this.latenessMs <= watermarkMs) {
          // A window of its own that is over; its record may still be allowed by the lateness of records.
          if (timestampMs + this.latenessMs <= watermarkMs) this.late.add(value, timestampMs, out);
          return;
        }
        if (sessions === undefined) {
          position = table.upsert(key, hash);
          sessions = [NEVER];
        }
        at = insert(sessions, timestampMs, endMs, this.accumulate.first(value));
      } else {
        this.absorb(sessions!, at, timestampMs, endMs);
        sessions![at + 2] = this.accumulate.add(sessions![at + 2], value);
      }
      const maxTimestampMs = (sessions![at + 1] as number) - 1;
      const over = maxTimestampMs <= watermarkMs;
      sessions![at + 3] = over ? 1 : 0;
      const dueMs = over ? maxTimestampMs + this.latenessMs : maxTimestampMs;
      if (dueMs < sessions![0]) this.schedule(sessions!, dueMs, key, hash);
      table.set(position, sessions!);
      if (over) this.emit(sessions!, at, key, out);
    }

    /** Extends the session at `at` to the given bounds, and merges those it now touches into it. */
    private absorb(sessions: Sessions, at: number, startMs: number, endMs: number): void {
      if (startMs < (sessions[at] as number)) sessions[at] = startMs;
      if (endMs > (sessions[at + 1] as number)) sessions[at + 1] = endMs;
      const next = at + WIDTH;
      while (next < sessions.length && (sessions[next] as number) <= (sessions[at + 1] as number)) {
        if ((sessions[next + 1] as number) > (sessions[at + 1] as number)) sessions[at + 1] = sessions[next + 1];
        sessions[at + 2] = this.accumulate.merge(sessions[at + 2], sessions[next + 2]);
        sessions.splice(next, WIDTH);
      }
    }

    /** Enters a key into the calendar. */
    private schedule(sessions: Sessions, dueMs: number, key: unknown, hash: number): void {
      // Fine enough that a bucket is soon over once it has begun, coarse enough that buckets are few.
      if (this.bucketWidthMs === 0) this.bucketWidthMs = Math.max(1, Math.floor(((sessions[2] as number) - (sessions[1] as number)) / 8));
      const bucketMs = Math.floor(dueMs / this.bucketWidthMs) * this.bucketWidthMs;
      sessions[0] = bucketMs;
      if (this.calendar.existing(bucketMs) === undefined) {
        this.buckets.add(bucketMs);
        this.dueFrom.set(bucketMs, dueMs);
      } else if (dueMs < this.dueFrom.get(bucketMs)!) this.dueFrom.set(bucketMs, dueMs);
      const bucket = this.calendar.slice(bucketMs);
      bucket.set(bucket.upsert(key, hash), 1);
    }

    processWatermark(timestampMs: number, out: Output<unknown>): boolean | void {
      if (this.restoring) this.finishRestored(out);
      if (timestampMs > this.watermarkMs) this.watermarkMs = timestampMs;
      if (!this.emitDue(constants.budget, out)) return false;
      out.emitWatermark(timestampMs);
    }

    /** Emits what a snapshot in the middle of an emission had left, before anything else happens. */
    private finishRestored(out: Output<unknown>): void {
      this.restoring = false;
      this.emitDue(NEVER, out);
    }

    /** Goes through the buckets that are due, a key at a time, so that the state is right at every step; false when it paused. */
    private emitDue(budget: number, out: Output<unknown>): boolean {
      const { paused } = this;
      this.paused = undefined;
      const { ends } = this.buckets;
      let index = paused === undefined ? 0 : ends.indexOf(paused.bucketMs);
      let left = budget;
      while (index < ends.length && ends[index]! <= this.watermarkMs) {
        const bucketMs = ends[index]!;
        if (this.dueFrom.get(bucketMs)! > this.watermarkMs) {
          index++;
          continue;
        }
        const bucket = this.calendar.slice(bucketMs);
        const resumed = paused !== undefined && paused.bucketMs === bucketMs;
        let dueFromMs = resumed ? paused.dueFromMs : NEVER;
        // Downwards, since a key that leaves is replaced by the last one, which stays.
        for (let position = resumed ? paused.position : bucket.size - 1; position >= 0; position--) {
          if (budget !== NEVER && (left-- <= 0 || ((position & 15) === 0 && left < budget - 1 && out.blocked))) {
            this.paused = { bucketMs, position, dueFromMs };
            return false;
          }
          const key = bucket.keyAt(position);
          const hash = bucket.hashAt(position);
          const dueMs = this.advance(bucketMs, key, hash, out);
          if (dueMs === NEVER) bucket.delete(key, hash);
          else dueFromMs = Math.min(dueFromMs, dueMs);
        }
        if (bucket.size > 0) this.dueFrom.set(bucketMs, dueFromMs);
        else {
          this.calendar.drop(bucketMs);
          this.dueFrom.delete(bucketMs);
          ends.splice(ends.indexOf(bucketMs), 1);
        }
        index = this.buckets.firstAfter(bucketMs);
      }
      return true;
    }

    /** Emits and drops what is due of a key; returns when it is due again in this bucket, `NEVER` when it leaves it. */
    private advance(bucketMs: number, key: unknown, hash: number, out: Output<unknown>): number {
      const table = this.sessionsByKey;
      const position = table.find(key, hash);
      const sessions = position < 0 ? undefined : table.get(position);
      if (sessions === undefined || sessions[0] !== bucketMs) return NEVER;
      const { watermarkMs, latenessMs } = this;
      let dueMs = NEVER;
      let at = 1;
      while (at < sessions.length) {
        const maxTimestampMs = (sessions[at + 1] as number) - 1;
        if (maxTimestampMs <= watermarkMs && sessions[at + 3] === 0) {
          sessions[at + 3] = 1;
          this.context.keyedState.setCurrentKey(key, hash);
          this.emit(sessions, at, key, out);
        }
        if (maxTimestampMs + latenessMs <= watermarkMs) {
          sessions.splice(at, WIDTH);
          continue;
        }
        dueMs = Math.min(dueMs, maxTimestampMs > watermarkMs ? maxTimestampMs : maxTimestampMs + latenessMs);
        at += WIDTH;
      }
      if (sessions.length === 1) {
        table.delete(key, hash);
        return NEVER;
      }
      if (dueMs < bucketMs || dueMs >= bucketMs + this.bucketWidthMs) this.schedule(sessions, dueMs, key, hash);
      table.set(position, sessions);
      return sessions[0] === bucketMs ? dueMs : NEVER;
    }

    private emit(sessions: Sessions, at: number, key: unknown, out: Output<unknown>): void {
      const endMs = sessions[at + 1] as number;
      const result = this.accumulate.result(sessions[at + 2]);
      if (this.parts.emitter.isValue) {
        out.collect(result, endMs - 1);
        return;
      }
      const window = new Window(sessions[at] as number, endMs);
      this.parts.emitter.emitOne(key, window, codec.encode(window), result, out);
    }
  }

  /** Index of the first session that overlaps or touches [startMs, endMs), or -1. */
  function overlapping(sessions: Sessions, startMs: number, endMs: number): number {
    for (let at = 1; at < sessions.length; at += WIDTH) {
      if ((sessions[at + 1] as number) >= startMs) return (sessions[at] as number) <= endMs ? at : -1;
    }
    return -1;
  }

  function insert(sessions: Sessions, startMs: number, endMs: number, accumulator: unknown): number {
    let at = 1;
    while (at < sessions.length && (sessions[at] as number) < startMs) at += WIDTH;
    sessions.splice(at, 0, startMs, endMs, accumulator, 0);
    return at;
  }

  return (init, accumulate) => new SessionWindows(init, accumulate);
}

/**
 * Event-time sessions with a reduce or aggregate function: the sessions of a key are one value, and a calendar of keys replaces timers. Results equal those
 * of the general window operator; emissions are resumable.
 */
export function sessionWindows(init: SessionWindowInit): OneInputOperator {
  const id = init.context.operatorId;
  const constants = { noWatermark: MIN_WATERMARK, budget: EMISSION_BUDGET };
  const make = specialize(sessionWindowsFactory, id)(
    FunctionOperator, LateRecords, RestoredWatermark, SortedEnds, TimeWindow, timeWindowCodec, requireTimestamp, constants,
  );
  return make(init, specialize(accumulateFactory, id)()(init.reduce, init.aggregate));
}
