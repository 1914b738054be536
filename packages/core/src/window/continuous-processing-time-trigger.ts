import type { DurationLike } from "../time/duration.js";
import { ReducingStateDescriptor } from "../state/descriptors.js";
import type { ReducingState } from "../state/state.js";
import { Types } from "../types/type-information.js";
import { windowLength } from "./assigner-support.js";
import type { OnMergeContext, Trigger, TriggerContext, TriggerResult } from "./trigger.js";
import type { Window } from "./window.js";

/** The earliest of the merged windows' next firings. */
const fireTimeDescriptor = new ReducingStateDescriptor<number>("fire-time", (a, b) => Math.min(a, b), Types.number);

/** Fires at every multiple of `interval` on the clock while a window has records, the last time at its end. Flink: ContinuousProcessingTimeTrigger. */
export class ContinuousProcessingTimeTrigger implements Trigger<unknown, Window> {
  readonly intervalMs: number;

  private constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
  }

  static of(interval: DurationLike): ContinuousProcessingTimeTrigger {
    return new ContinuousProcessingTimeTrigger(windowLength("ContinuousProcessingTimeTrigger", "the interval", interval));
  }

  onElement(_value: unknown, _timestampMs: number, window: Window, context: TriggerContext): TriggerResult {
    const fireTime = context.getPartitionedState(fireTimeDescriptor);
    if (fireTime.get() === undefined) {
      const now = context.currentProcessingTime;
      this.#registerNext(now - (now % this.intervalMs), window, context, fireTime);
    }
    return "CONTINUE";
  }

  onEventTime(): TriggerResult {
    return "CONTINUE";
  }

  onProcessingTime(timestampMs: number, window: Window, context: TriggerContext): TriggerResult {
    const fireTime = context.getPartitionedState(fireTimeDescriptor);
    if (fireTime.get() !== timestampMs) return "CONTINUE";
    fireTime.clear();
    this.#registerNext(timestampMs, window, context, fireTime);
    return "FIRE";
  }

  clear(_window: Window, context: TriggerContext): void {
    const fireTime = context.getPartitionedState(fireTimeDescriptor);
    const timestampMs = fireTime.get();
    if (timestampMs === undefined) return;
    context.deleteProcessingTimeTimer(timestampMs);
    fireTime.clear();
  }

  onMerge(_window: Window, context: OnMergeContext): void {
    context.mergePartitionedState(fireTimeDescriptor);
    const timestampMs = context.getPartitionedState(fireTimeDescriptor).get();
    if (timestampMs !== undefined) context.registerProcessingTimeTimer(timestampMs);
  }

  #registerNext(fromMs: number, window: Window, context: TriggerContext, fireTime: ReducingState<number>): void {
    const nextMs = Math.min(fromMs + this.intervalMs, window.maxTimestampMs);
    fireTime.add(nextMs);
    context.registerProcessingTimeTimer(nextMs);
  }
}
