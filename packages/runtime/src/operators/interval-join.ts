import {
  requireTimestamp, NO_TIMESTAMP,
  type Collector, type InternalTimerService, type OperatorContext, type Output, type OutputTag, type ProcessJoinContext, type ProcessJoinFunction,
  type Slice, type StateInitializationContext, type StateSnapshotContext, type TimerHandler, type TimerService, type TwoInputOperator,
} from "@millrace/core";
import type { IntervalJoinSpec } from "@millrace/graph";
import { KeyedTimerService } from "./element-context.js";
import { FunctionOperator } from "./function-operator.js";
import { specialize } from "./specialize.js";
import { instantiate, refusePromise } from "./user-function.js";
import { RestoredWatermark } from "./window/restored-watermark.js";

type Fn = ProcessJoinFunction<unknown, unknown, unknown>;
type Make = (spec: IntervalJoinSpec, context: OperatorContext, fn: Fn, timerService: (timers: InternalTimerService) => TimerService) => TwoInputOperator;

/** One side's records of one key: two arrays, ascending by time, equal times in order of arrival. */
interface Buffer {
  readonly times: number[];
  readonly values: unknown[];
  /** When the key's clean-up timer of this side is due; `null` for none. */
  timerMs: number | null;
}

/** Re-evaluated per operator, see `specialize`. */
function intervalJoinFactory(
  Base: typeof FunctionOperator, Restored: typeof RestoredWatermark, refuse: typeof refusePromise, checkTimestamp: typeof requireTimestamp,
  noTimestamp: number,
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

  class IntervalJoin extends Base implements TwoInputOperator, TimerHandler {
    private readonly fn: Fn;
    private readonly lowerMs: number;
    private readonly upperMs: number;
    /** How long after its time a record of each side is needed. */
    private readonly keepLeftMs: number;
    private readonly keepRightMs: number;
    private readonly lateLeft: OutputTag<unknown> | undefined;
    private readonly lateRight: OutputTag<unknown> | undefined;
    private readonly timers: InternalTimerService;
    private readonly pair: Pair;
    private readonly restored: RestoredWatermark = new Restored();
    private left!: Slice<unknown, Buffer>;
    private right!: Slice<unknown, Buffer>;

    constructor(spec: IntervalJoinSpec, context: OperatorContext, fn: Fn, timerService: (timers: InternalTimerService) => TimerService) {
      super(context, fn);
      this.fn = fn;
      this.lowerMs = spec.lowerBoundMs;
      this.upperMs = spec.upperBoundMs;
      this.keepLeftMs = Math.max(spec.upperBoundMs, 0);
      this.keepRightMs = Math.max(-spec.lowerBoundMs, 0);
      this.lateLeft = spec.lateLeft;
      this.lateRight = spec.lateRight;
      this.timers = context.timers("cleanup-timers", this);
      this.pair = new Pair(timerService(this.timers));
    }

    protected override setup(context: StateInitializationContext): void {
      this.restored.open(context);
      this.left = this.context.keyedState.sliceTable<Buffer>("left-buffer").slice(0);
      this.right = this.context.keyedState.sliceTable<Buffer>("right-buffer").slice(0);
    }

    override snapshotState(context: StateSnapshotContext): void | Promise<void> {
      this.restored.snapshot(this.timers.currentWatermark);
      return super.snapshotState(context);
    }

    processRecord1(value: unknown, timestampMs: number, out: Output<unknown>): void {
      if (this.isLate(value, timestampMs, this.lateLeft, out)) return;
      this.buffer(this.left, "left", value, timestampMs, this.keepLeftMs);
      const others = this.others(this.right);
      if (others === undefined) return;
      const { times, values } = others;
      const pair = this.pair;
      pair.out = out;
      pair.leftTimestamp = timestampMs;
      const last = timestampMs + this.upperMs;
      for (let i = firstAt(times, timestampMs + this.lowerMs); i < times.length && times[i]! <= last; i++) {
        pair.rightTimestamp = times[i]!;
        pair.timestamp = Math.max(timestampMs, times[i]!);
        const result: unknown = this.fn.processElement(value, values[i], pair, pair);
        if (result !== undefined) refuse(result, this.context.operatorName);
      }
    }

    processRecord2(value: unknown, timestampMs: number, out: Output<unknown>): void {
      if (this.isLate(value, timestampMs, this.lateRight, out)) return;
      this.buffer(this.right, "right", value, timestampMs, this.keepRightMs);
      const others = this.others(this.left);
      if (others === undefined) return;
      const { times, values } = others;
      const pair = this.pair;
      pair.out = out;
      pair.rightTimestamp = timestampMs;
      const last = timestampMs - this.lowerMs;
      for (let i = firstAt(times, timestampMs - this.upperMs); i < times.length && times[i]! <= last; i++) {
        pair.leftTimestamp = times[i]!;
        pair.timestamp = Math.max(timestampMs, times[i]!);
        const result: unknown = this.fn.processElement(values[i], value, pair, pair);
        if (result !== undefined) refuse(result, this.context.operatorName);
      }
    }

    /** A late record goes to the side output, if there is one. */
    private isLate(value: unknown, timestampMs: number, lateTag: OutputTag<unknown> | undefined, out: Output<unknown>): boolean {
      checkTimestamp(timestampMs);
      if (timestampMs >= Math.max(this.timers.currentWatermark, this.restored.timestampMs)) return false;
      if (lateTag !== undefined) out.sideOutput(lateTag, value, timestampMs);
      return true;
    }

    private buffer(side: Slice<unknown, Buffer>, namespace: string, value: unknown, timestampMs: number, keepMs: number): void {
      const state = this.context.keyedState;
      const position = side.upsert(state.currentKey, state.currentKeyHash);
      const buffer: Buffer = side.get(position) ?? { times: [], values: [], timerMs: null };
      const { times, values } = buffer;
      if (times.length === 0 || times[times.length - 1]! <= timestampMs) {
        times.push(timestampMs);
        values.push(value);
      } else {
        const at = firstAt(times, timestampMs + 1);
        times.splice(at, 0, timestampMs);
        values.splice(at, 0, value);
      }
      // One timer per key and side, for its oldest record; when that fires, it is set again for what is left.
      if (buffer.timerMs === null || timestampMs + keepMs < buffer.timerMs) {
        buffer.timerMs = timestampMs + keepMs;
        this.timers.registerEventTimeTimer(namespace, buffer.timerMs);
      }
      side.set(position, buffer);
    }

    private others(side: Slice<unknown, Buffer>): Buffer | undefined {
      const state = this.context.keyedState;
      const position = side.find(state.currentKey, state.currentKeyHash);
      return position < 0 ? undefined : side.get(position);
    }

    /** Records go exactly when the watermark advances over their end: one that came at the very watermark is joined until the next one. */
    onEventTime(timestampMs: number, namespace: string): void {
      const side = namespace === "left" ? this.left : this.right;
      const keepMs = namespace === "left" ? this.keepLeftMs : this.keepRightMs;
      const { currentKey: key, currentKeyHash: hash } = this.context.keyedState;
      const position = side.find(key, hash);
      const buffer = position < 0 ? undefined : side.get(position);
      if (buffer === undefined) return;
      prune(buffer, timestampMs - keepMs);
      if (buffer.times.length === 0) {
        side.delete(key, hash);
        return;
      }
      buffer.timerMs = buffer.times[0]! + keepMs;
      this.timers.registerEventTimeTimer(namespace, buffer.timerMs);
      side.set(position, buffer);
    }

    onProcessingTime(): void {}
  }

  /** Index of the first time that is at least `timeMs`. */
  function firstAt(times: readonly number[], timeMs: number): number {
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (times[middle]! >= timeMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  function prune(buffer: Buffer, throughMs: number): void {
    const gone = firstAt(buffer.times, throughMs + 1);
    buffer.times.splice(0, gone);
    buffer.values.splice(0, gone);
  }

  return (spec, context, fn, timerService) => new IntervalJoin(spec, context, fn, timerService);
}

/**
 * Joins two keyed streams: each pair of one key with `right.time` in [`left.time` + lower, `left.time` + upper], at the later of both times.
 * Records behind the watermark are late: dropped, or sent to the side output of their side. Flink: IntervalJoinOperator.
 */
export function intervalJoin(spec: IntervalJoinSpec, context: OperatorContext): TwoInputOperator {
  const fn = instantiate<Fn>(spec.fn, context.operatorName, ["processElement"]);
  const make = specialize(intervalJoinFactory, context.operatorId)(FunctionOperator, RestoredWatermark, refusePromise, requireTimestamp, NO_TIMESTAMP);
  return make(spec, context, fn, (timers) => new KeyedTimerService(timers));
}
