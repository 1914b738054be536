import type { OnMergeContext, Trigger, TriggerContext, TriggerResult } from "./trigger.js";
import type { Window } from "./window.js";

/** Drops the window's contents whenever the nested trigger fires; the trigger's own state stays. Flink: PurgingTrigger. */
export class PurgingTrigger<T, W extends Window> implements Trigger<T, W> {
  readonly nested: Trigger<T, W>;
  readonly onMerge?: (window: W, context: OnMergeContext) => void;

  private constructor(nested: Trigger<T, W>) {
    this.nested = nested;
    // Present only when the nested trigger can merge: its absence is how the engine knows that it cannot.
    if (nested.onMerge !== undefined) this.onMerge = (window, context) => nested.onMerge!(window, context);
  }

  static of<T, W extends Window>(nested: Trigger<T, W>): PurgingTrigger<T, W> {
    return new PurgingTrigger(nested);
  }

  onElement(value: T, timestampMs: number, window: W, context: TriggerContext): TriggerResult {
    return purging(this.nested.onElement(value, timestampMs, window, context));
  }

  onEventTime(timestampMs: number, window: W, context: TriggerContext): TriggerResult {
    return purging(this.nested.onEventTime(timestampMs, window, context));
  }

  onProcessingTime(timestampMs: number, window: W, context: TriggerContext): TriggerResult {
    return purging(this.nested.onProcessingTime(timestampMs, window, context));
  }

  clear(window: W, context: TriggerContext): void {
    this.nested.clear(window, context);
  }
}

function purging(result: TriggerResult): TriggerResult {
  return result === "FIRE" ? "FIRE_AND_PURGE" : result;
}
