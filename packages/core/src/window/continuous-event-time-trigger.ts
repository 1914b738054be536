import type { DurationLike } from "../time/duration.js";
import { ReducingStateDescriptor } from "../state/descriptors.js";
import type { ReducingState } from "../state/state.js";
import { Types } from "../types/type-information.js";
import { windowLength } from "./assigner-support.js";
import type { OnMergeContext, Trigger, TriggerContext, TriggerResult } from "./trigger.js";
import type { Window } from "./window.js";

/** The earliest of the merged windows' next firings. */
const fireTimeDescriptor = new ReducingStateDescriptor<number>("fire-time", (a, b) => Math.min(a, b), Types.number);

/** Fires at every multiple of `interval` in event time that a window with records sees, and at its end. Flink: ContinuousEventTimeTrigger. */
export class ContinuousEventTimeTrigger implements Trigger<unknown, Window> {
  readonly intervalMs: number;

  private constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
  }

  static of(interval: DurationLike): ContinuousEventTimeTrigger {
    return new ContinuousEventTimeTrigger(windowLength("ContinuousEventTimeTrigger", "the interval", interval));
  }

  onElement(_value: unknown, timestampMs: number, window: Window, context: TriggerContext): TriggerResult {
    if (window.maxTimestampMs <= context.currentWatermark) return "FIRE";
    const fireTime = context.getPartitionedState(fireTimeDescriptor);
    // The remainder keeps the sign of the time stamp, as in Flink: before the epoch intervals are cut towards it.
    if (fireTime.get() === undefined) this.#registerNext(timestampMs - (timestampMs % this.intervalMs), window, context, fireTime);
    return "CONTINUE";
  }

  onEventTime(timestampMs: number, window: Window, context: TriggerContext): TriggerResult {
    if (timestampMs === window.maxTimestampMs) return "FIRE";
    const fireTime = context.getPartitionedState(fireTimeDescriptor);
    if (fireTime.get() !== timestampMs) return "CONTINUE";
    fireTime.clear();
    this.#registerNext(timestampMs, window, context, fireTime);
    return "FIRE";
  }

  onProcessingTime(): TriggerResult {
    return "CONTINUE";
  }

  clear(_window: Window, context: TriggerContext): void {
    const fireTime = context.getPartitionedState(fireTimeDescriptor);
    const timestampMs = fireTime.get();
    if (timestampMs === undefined) return;
    context.deleteEventTimeTimer(timestampMs);
    fireTime.clear();
  }

  onMerge(_window: Window, context: OnMergeContext): void {
    context.mergePartitionedState(fireTimeDescriptor);
    const timestampMs = context.getPartitionedState(fireTimeDescriptor).get();
    if (timestampMs !== undefined) context.registerEventTimeTimer(timestampMs);
  }

  #registerNext(fromMs: number, window: Window, context: TriggerContext, fireTime: ReducingState<number>): void {
    const nextMs = Math.min(fromMs + this.intervalMs, window.maxTimestampMs);
    fireTime.add(nextMs);
    context.registerEventTimeTimer(nextMs);
  }
}
