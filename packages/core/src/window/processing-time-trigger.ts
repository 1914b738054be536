import type { OnMergeContext, Trigger, TriggerContext, TriggerResult } from "./trigger.js";
import type { Window } from "./window.js";

/** Fires once the clock passes the end of the window. The default by processing time. */
export class ProcessingTimeTrigger implements Trigger<unknown, Window> {
  static readonly #instance: ProcessingTimeTrigger = new ProcessingTimeTrigger();
  readonly isDefaultFor = "processing-time";

  static create(): ProcessingTimeTrigger {
    return ProcessingTimeTrigger.#instance;
  }

  onElement(_value: unknown, _timestampMs: number, window: Window, context: TriggerContext): TriggerResult {
    context.registerProcessingTimeTimer(window.maxTimestampMs);
    return "CONTINUE";
  }

  onEventTime(): TriggerResult {
    return "CONTINUE";
  }

  onProcessingTime(): TriggerResult {
    return "FIRE";
  }

  clear(window: Window, context: TriggerContext): void {
    context.deleteProcessingTimeTimer(window.maxTimestampMs);
  }

  onMerge(window: Window, context: OnMergeContext): void {
    // Only when it still lies ahead: the timer of a window that has ended fires it already.
    if (window.maxTimestampMs > context.currentProcessingTime) context.registerProcessingTimeTimer(window.maxTimestampMs);
  }
}
