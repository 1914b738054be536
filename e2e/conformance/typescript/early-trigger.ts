import { ReducingStateDescriptor, type OnMergeContext, type Trigger, type TriggerContext, type Window } from "millrace";

const counted = new ReducingStateDescriptor<number>("count", (a, b) => a + b);

/** The trigger `early` of PIPELINES.md: at the end of the window, and before that every so many records. */
export class EarlyTrigger implements Trigger<unknown, Window> {
  readonly #every: number;

  constructor(every: number) {
    this.#every = every;
  }

  onElement(_value: unknown, _timestampMs: number, window: Window, context: TriggerContext): "FIRE" | "CONTINUE" {
    if (window.maxTimestampMs <= context.currentWatermark) return "FIRE";
    context.registerEventTimeTimer(window.maxTimestampMs);
    const count = context.getPartitionedState(counted);
    count.add(1);
    if (count.get()! < this.#every) return "CONTINUE";
    count.clear();
    return "FIRE";
  }

  onEventTime(timestampMs: number, window: Window): "FIRE" | "CONTINUE" {
    return timestampMs === window.maxTimestampMs ? "FIRE" : "CONTINUE";
  }

  onProcessingTime(): "CONTINUE" {
    return "CONTINUE";
  }

  onMerge(window: Window, context: OnMergeContext): void {
    context.mergePartitionedState(counted);
    if (window.maxTimestampMs > context.currentWatermark) context.registerEventTimeTimer(window.maxTimestampMs);
  }

  clear(window: Window, context: TriggerContext): void {
    context.deleteEventTimeTimer(window.maxTimestampMs);
    context.getPartitionedState(counted).clear();
  }
}
