import {
  requireTimestamp, timeWindowCodec, TimeWindow,
  type AggregateFunction, type InternalTimerService, type OneInputOperator, type OperatorContext, type Output, type ReduceFn, type Slice,
  type StateInitializationContext, type StateSnapshotContext, type TimerHandler,
} from "@millrace/core";
import { FunctionOperator } from "../function-operator.js";
import { specialize } from "../specialize.js";
import { accumulateFactory, type Accumulate } from "./accumulate.js";
import { LateRecords } from "./late-records.js";
import { RestoredWatermark } from "./restored-watermark.js";
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
 * A key's sessions in one flat array: the time of the key's next timer, then start, end and accumulator of each session, ascending and disjoint.
 * Flat, so that the common key with one session is one small object that is changed in place.
 */
type Sessions = [timerMs: number, ...rest: unknown[]];

/** Re-evaluated per operator, see `specialize`. */
function sessionWindowsFactory(
  Base: typeof FunctionOperator, Late: typeof LateRecords, Restored: typeof RestoredWatermark, Window: typeof TimeWindow,
  codec: typeof timeWindowCodec, checkTimestamp: typeof requireTimestamp,
): Make {
  const NO_TIMER = Number.POSITIVE_INFINITY;

  class SessionWindows extends Base implements OneInputOperator, TimerHandler {
    private readonly accumulate: Accumulate;
    private readonly parts: WindowParts;
    private readonly gapOf: (value: unknown) => number;
    private readonly latenessMs: number;
    private readonly late: LateRecords;
    private readonly timers: InternalTimerService;
    private readonly restored: RestoredWatermark = new Restored();
    private sessionsByKey!: Slice<unknown, Sessions>;

    constructor(init: SessionWindowInit, accumulate: Accumulate) {
      super(init.context, init.parts.emitter.rich);
      this.accumulate = accumulate;
      this.parts = init.parts;
      this.gapOf = init.gapOf;
      this.latenessMs = init.parts.allowedLatenessMs;
      this.late = new Late(init.context, init.parts.lateTag);
      this.timers = init.context.timers("window-timers", this);
    }

    private get watermarkMs(): number {
      return Math.max(this.timers.currentWatermark, this.restored.timestampMs);
    }

    protected override setup(context: StateInitializationContext): void {
      this.restored.open(context);
      this.sessionsByKey = this.context.keyedState.sliceTable<Sessions>("sessions").slice(0);
      this.parts.emitter.open(this.context, true, () => this.watermarkMs);
    }

    override snapshotState(context: StateSnapshotContext): void | Promise<void> {
      this.restored.snapshot(this.timers.currentWatermark);
      return super.snapshotState(context);
    }

    processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void {
      checkTimestamp(timestampMs);
      const state = this.context.keyedState;
      if (this.parts.constantKey) state.setCurrentKey(0);
      const key = state.currentKey;
      const hash = state.currentKeyHash;
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
          sessions = [NO_TIMER];
        }
        at = insert(sessions, timestampMs, endMs, this.accumulate.first(value));
      } else {
        this.absorb(sessions!, at, timestampMs, endMs);
        sessions![at + 2] = this.accumulate.add(sessions![at + 2], value);
      }
      const maxTimestampMs = (sessions![at + 1] as number) - 1;
      const nextMs = maxTimestampMs > watermarkMs ? maxTimestampMs : maxTimestampMs + this.latenessMs;
      // Extending a session leaves its timer where it is: when that fires, it sees the later end and is set again. Only earlier ones are needed now.
      if (nextMs < sessions![0] && nextMs <= Number.MAX_SAFE_INTEGER) {
        sessions![0] = nextMs;
        this.timers.registerEventTimeTimer("", nextMs);
      }
      table.set(position, sessions!);
      if (maxTimestampMs <= watermarkMs) this.emit(sessions!, at, key, out);
    }

    /** Extends the session at `at` to the given bounds, and merges those it now touches into it. */
    private absorb(sessions: Sessions, at: number, startMs: number, endMs: number): void {
      if (startMs < (sessions[at] as number)) sessions[at] = startMs;
      if (endMs > (sessions[at + 1] as number)) sessions[at + 1] = endMs;
      const next = at + 3;
      while (next < sessions.length && (sessions[next] as number) <= (sessions[at + 1] as number)) {
        if ((sessions[next + 1] as number) > (sessions[at + 1] as number)) sessions[at + 1] = sessions[next + 1];
        sessions[at + 2] = this.accumulate.merge(sessions[at + 2], sessions[next + 2]);
        sessions.splice(next, 3);
      }
    }

    onEventTime(timestampMs: number, _namespace: string, out: Output<unknown>): void {
      const { currentKey: key, currentKeyHash: hash } = this.context.keyedState;
      const table = this.sessionsByKey;
      const position = table.find(key, hash);
      const sessions = position < 0 ? undefined : table.get(position);
      if (sessions === undefined) return;
      let nextMs = NO_TIMER;
      let at = 1;
      while (at < sessions.length) {
        const maxTimestampMs = (sessions[at + 1] as number) - 1;
        if (maxTimestampMs === timestampMs) this.emit(sessions, at, key, out);
        const cleanupMs = maxTimestampMs + this.latenessMs;
        if (cleanupMs <= timestampMs) {
          sessions.splice(at, 3);
          continue;
        }
        nextMs = Math.min(nextMs, maxTimestampMs > timestampMs ? maxTimestampMs : cleanupMs);
        at += 3;
      }
      if (sessions.length === 1) {
        table.delete(key, hash);
        return;
      }
      // A stale timer may lie before the registered one; then that one is still to come.
      if (timestampMs >= sessions[0] && nextMs <= Number.MAX_SAFE_INTEGER) {
        sessions[0] = nextMs;
        this.timers.registerEventTimeTimer("", nextMs);
      }
      table.set(position, sessions);
    }

    onProcessingTime(): void {}

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
    for (let at = 1; at < sessions.length; at += 3) {
      if ((sessions[at + 1] as number) >= startMs) return (sessions[at] as number) <= endMs ? at : -1;
    }
    return -1;
  }

  function insert(sessions: Sessions, startMs: number, endMs: number, accumulator: unknown): number {
    let at = 1;
    while (at < sessions.length && (sessions[at] as number) < startMs) at += 3;
    sessions.splice(at, 0, startMs, endMs, accumulator);
    return at;
  }

  return (init, accumulate) => new SessionWindows(init, accumulate);
}

/**
 * Event-time sessions with a reduce or aggregate function: the sessions of a key are one value, and each key has one timer that is set again when it
 * fires too early. Results equal those of the general window operator.
 */
export function sessionWindows(init: SessionWindowInit): OneInputOperator {
  const id = init.context.operatorId;
  const make = specialize(sessionWindowsFactory, id)(FunctionOperator, LateRecords, RestoredWatermark, TimeWindow, timeWindowCodec, requireTimestamp);
  return make(init, specialize(accumulateFactory, id)()(init.reduce, init.aggregate));
}
