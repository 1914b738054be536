import {
  requireTimestamp, NO_TIMESTAMP,
  type Collector, type InternalTimerService, type KeyedStateBackend, type OperatorContext, type Output, type OutputTag, type ProcessJoinContext, type ProcessJoinFunction,
  type Slice, type StateInitializationContext, type StateSnapshotContext, type TimerHandler, type TimerService, type TwoInputOperator,
} from "@millrace/core";
import type { IntervalJoinSpec } from "@millrace/graph";
import { CleanUpCalendar } from "./interval-join-calendar.js";
import { KeyedTimerService } from "./element-context.js";
import { FunctionOperator } from "./function-operator.js";
import { specialize } from "./specialize.js";
import { instantiate, refusePromise } from "./user-function.js";
import { RestoredWatermark } from "./window/restored-watermark.js";

type Fn = ProcessJoinFunction<unknown, unknown, unknown>;
type Make = (spec: IntervalJoinSpec, context: OperatorContext, fn: Fn, timerService: (timers: InternalTimerService) => TimerService) => TwoInputOperator;

/**
 * One side's records of one key, flat: [end of the calendar's bucket the key is in, time, value, time, value, …], ascending by time, equal
 * times in order of arrival.
 */
type Buffer = unknown[];
/** Keys that one call cleans up at most, before other work has its turn. */
const CLEAN_UP_BUDGET = 4096;

/** Re-evaluated per operator, see `specialize`. */
function intervalJoinFactory(
  Base: typeof FunctionOperator, Restored: typeof RestoredWatermark, refuse: typeof refusePromise, checkTimestamp: typeof requireTimestamp,
  Calendar: typeof CleanUpCalendar, noTimestamp: number, cleanUpBudget: number,
): Make {
  /** Context and collector in one: both live as long as the pair. */
  class Pair implements ProcessJoinContext, Collector<unknown> {
    leftTimestamp = noTimestamp;
    rightTimestamp = noTimestamp;
    timestamp = noTimestamp;
    out!: Output<unknown>;
    readonly timerService: TimerService;
    constructor(timerService: TimerService) {
      this.timerService = timerService;
    }
    output<X>(tag: OutputTag<X>, value: X): void {
      this.out.sideOutput(tag, value, this.timestamp);
    }
    collect(value: unknown, timestampMs?: number): void {
      this.out.collect(value, timestampMs === undefined ? this.timestamp : timestampMs);
    }
  }

  /** The buffers of one side, and when to clean them up. */
  class Side {
    /** How long after its time a record is needed. */
    readonly keepMs: number;
    private unfinished = false;
    readonly late: OutputTag<unknown> | undefined;
    readonly calendar: CleanUpCalendar;
    readonly buffers: Slice<unknown, Buffer>;

    constructor(keepMs: number, late: OutputTag<unknown> | undefined, buffers: Slice<unknown, Buffer>) {
      this.keepMs = keepMs;
      this.late = late;
      this.calendar = new Calendar(Math.max(1, Math.floor(keepMs / 8)));
      this.buffers = buffers;
      for (let position = 0; position < buffers.size; position++) {
        const buffer = buffers.get(position)!;
        buffer[0] = this.calendar.add((buffer[1] as number) + keepMs, buffers.keyAt(position), buffers.hashAt(position));
        buffers.set(position, buffer);
      }
    }

    add(key: unknown, hash: number, value: unknown, timestampMs: number): void {
      const { buffers, calendar } = this;
      const position = buffers.upsert(key, hash);
      const buffer = buffers.get(position);
      if (buffer === undefined) {
        buffers.set(position, [calendar.add(timestampMs + this.keepMs, key, hash), timestampMs, value]);
        return;
      }
      if ((buffer[buffer.length - 2] as number) <= timestampMs) buffer.push(timestampMs, value);
      else {
        const at = firstAt(buffer, timestampMs + 1);
        buffer.splice(at, 0, timestampMs, value);
        if (at === 1 && calendar.bucketOf(timestampMs + this.keepMs) < (buffer[0] as number)) {
          buffer[0] = calendar.add(timestampMs + this.keepMs, key, hash);
        }
      }
      buffers.set(position, buffer);
    }

    of(key: unknown, hash: number): Buffer | undefined {
      const position = this.buffers.find(key, hash);
      return position < 0 ? undefined : this.buffers.get(position);
    }

    /**
     * The earliest time that still counts. Clean-up comes late, so what the watermark has passed may still be there; but with nothing to keep
     * it comes at once: of the records at the very watermark only those count that came after it.
     */
    countsFrom(watermarkMs: number): number {
      return this.keepMs === 0 ? -Infinity : watermarkMs - this.keepMs + 1;
    }

    /** Cleans up the buckets that are over; false when the budget was used up before. */
    cleanUp(watermarkMs: number): boolean {
      const { calendar } = this;
      let left = cleanUpBudget;
      while (calendar.firstMs <= watermarkMs) {
        const { keys, hashes } = calendar.first();
        while (keys.length > 0) {
          if (left-- === 0) {
            this.unfinished = true;
            return false;
          }
          this.cleanUpKey(keys.pop(), hashes.pop()!, calendar.firstMs, watermarkMs);
        }
        calendar.dropFirst();
      }
      this.unfinished = false;
      return true;
    }

    /** Cleans up everything the watermark has passed, also in the bucket it is in. */
    cleanUpAll(watermarkMs: number): void {
      // With nothing to keep, a finished clean-up left only records that came at the very watermark after it: they still count.
      if (this.keepMs === 0 && !this.unfinished) return;
      while (!this.cleanUp(watermarkMs));
      const { calendar } = this;
      const endMs = calendar.firstMs;
      if (endMs - calendar.widthMs >= watermarkMs) return;
      const { keys, hashes } = calendar.first();
      calendar.dropFirst();
      for (let i = 0; i < keys.length; i++) this.cleanUpKey(keys[i], hashes[i]!, endMs, watermarkMs);
    }

    private cleanUpKey(key: unknown, hash: number, bucketMs: number, watermarkMs: number): void {
      const { buffers } = this;
      const position = buffers.find(key, hash);
      const buffer = position < 0 ? undefined : buffers.get(position);
      // The key may have moved to another bucket.
      if (buffer === undefined || buffer[0] !== bucketMs) return;
      const throughMs = watermarkMs - this.keepMs;
      if ((buffer[buffer.length - 2] as number) <= throughMs) {
        buffers.delete(key, hash);
        return;
      }
      const first = firstAt(buffer, throughMs + 1);
      buffer.copyWithin(1, first);
      buffer.length -= first - 1;
      buffer[0] = this.calendar.add((buffer[1] as number) + this.keepMs, key, hash);
      buffers.set(position, buffer);
    }
  }

  class IntervalJoin extends Base implements TwoInputOperator, TimerHandler {
    private readonly fn: Fn;
    private readonly spec: IntervalJoinSpec;
    private readonly lowerMs: number;
    private readonly upperMs: number;
    private readonly timers: InternalTimerService;
    private state!: KeyedStateBackend;
    private readonly pair: Pair;
    private readonly restored: RestoredWatermark = new Restored();
    private left!: Side;
    private right!: Side;

    constructor(spec: IntervalJoinSpec, context: OperatorContext, fn: Fn, timerService: (timers: InternalTimerService) => TimerService) {
      super(context, fn);
      this.fn = fn;
      this.spec = spec;
      this.lowerMs = spec.lowerBoundMs;
      this.upperMs = spec.upperBoundMs;
      this.timers = context.timers("timers", this);
      this.pair = new Pair(timerService(this.timers));
    }

    protected override setup(context: StateInitializationContext): void {
      this.restored.open(context);
      const { spec } = this;
      const state = (this.state = this.context.keyedState);
      this.left = new Side(Math.max(spec.upperBoundMs, 0), spec.lateLeft, state.sliceTable<Buffer>("left-buffer").slice(0));
      this.right = new Side(Math.max(-spec.lowerBoundMs, 0), spec.lateRight, state.sliceTable<Buffer>("right-buffer").slice(0));
    }

    override snapshotState(context: StateSnapshotContext): void | Promise<void> {
      // After a restore the watermark may be an earlier one: what this one has passed must not come back.
      this.left.cleanUpAll(this.timers.currentWatermark);
      this.right.cleanUpAll(this.timers.currentWatermark);
      this.restored.snapshot(this.timers.currentWatermark);
      return super.snapshotState(context);
    }

    processRecord1(value: unknown, timestampMs: number, out: Output<unknown>): void {
      const { state, right, pair } = this;
      const watermarkMs = Math.max(this.timers.currentWatermark, this.restored.timestampMs);
      if (this.isLate(value, timestampMs, watermarkMs, this.left.late, out)) return;
      const { currentKey: key, currentKeyHash: hash } = state;
      this.left.add(key, hash, value, timestampMs);
      const others = right.of(key, hash);
      if (others === undefined) return;
      pair.out = out;
      pair.leftTimestamp = timestampMs;
      const last = timestampMs + this.upperMs;
      for (let i = firstAt(others, Math.max(timestampMs + this.lowerMs, right.countsFrom(watermarkMs))); i < others.length; i += 2) {
        const otherMs = others[i] as number;
        if (otherMs > last) break;
        pair.rightTimestamp = otherMs;
        pair.timestamp = Math.max(timestampMs, otherMs);
        const result: unknown = this.fn.processElement(value, others[i + 1], pair, pair);
        if (result !== undefined) refuse(result, this.context.operatorName);
      }
    }

    processRecord2(value: unknown, timestampMs: number, out: Output<unknown>): void {
      const { state, left, pair } = this;
      const watermarkMs = Math.max(this.timers.currentWatermark, this.restored.timestampMs);
      if (this.isLate(value, timestampMs, watermarkMs, this.right.late, out)) return;
      const { currentKey: key, currentKeyHash: hash } = state;
      this.right.add(key, hash, value, timestampMs);
      const others = left.of(key, hash);
      if (others === undefined) return;
      pair.out = out;
      pair.rightTimestamp = timestampMs;
      const last = timestampMs - this.lowerMs;
      for (let i = firstAt(others, Math.max(timestampMs - this.upperMs, left.countsFrom(watermarkMs))); i < others.length; i += 2) {
        const otherMs = others[i] as number;
        if (otherMs > last) break;
        pair.leftTimestamp = otherMs;
        pair.timestamp = Math.max(timestampMs, otherMs);
        const result: unknown = this.fn.processElement(others[i + 1], value, pair, pair);
        if (result !== undefined) refuse(result, this.context.operatorName);
      }
    }

    /** A late record goes to the side output, if there is one. */
    private isLate(value: unknown, timestampMs: number, watermarkMs: number, lateTag: OutputTag<unknown> | undefined, out: Output<unknown>): boolean {
      checkTimestamp(timestampMs);
      if (timestampMs >= watermarkMs) return false;
      if (lateTag !== undefined) out.sideOutput(lateTag, value, timestampMs);
      return true;
    }

    processWatermark(timestampMs: number, out: Output<unknown>): boolean | void {
      const watermarkMs = this.timers.currentWatermark;
      if (!this.left.cleanUp(watermarkMs) || !this.right.cleanUp(watermarkMs)) return false;
      out.emitWatermark(timestampMs);
    }

    onEventTime(): void {}

    onProcessingTime(): void {}
  }

  /** Index in a buffer of the first time that is at least `timeMs`; its length when there is none. */
  function firstAt(buffer: Buffer, timeMs: number): number {
    let low = 0;
    let high = (buffer.length - 1) >>> 1;
    // Mostly the answer is at one of the ends.
    if ((buffer[1] as number) >= timeMs) return 1;
    if ((buffer[buffer.length - 2] as number) < timeMs) return buffer.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((buffer[2 * middle + 1] as number) >= timeMs) high = middle;
      else low = middle + 1;
    }
    return 2 * low + 1;
  }

  return (spec, context, fn, timerService) => new IntervalJoin(spec, context, fn, timerService);
}

/**
 * Joins two keyed streams: each pair of one key with `right.time` in [`left.time` + lower, `left.time` + upper], at the later of both times.
 * Records behind the watermark are late: dropped, or sent to the side output of their side. Flink: IntervalJoinOperator.
 */
export function intervalJoin(spec: IntervalJoinSpec, context: OperatorContext): TwoInputOperator {
  const fn = instantiate<Fn>(spec.fn, context.operatorName, ["processElement"]);
  const make = specialize(intervalJoinFactory, context.operatorId)(
    FunctionOperator, RestoredWatermark, refusePromise, requireTimestamp, CleanUpCalendar, NO_TIMESTAMP, CLEAN_UP_BUDGET,
  );
  return make(spec, context, fn, (timers) => new KeyedTimerService(timers));
}
