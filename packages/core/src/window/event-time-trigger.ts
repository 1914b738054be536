import type { OnMergeContext, Trigger, TriggerContext, TriggerResult } from "./trigger.js";
import type { Window } from "./window.js";

/** Fires once the watermark passes the end of the window, and again for every late record that is still allowed. The default by event time. */
export class EventTimeTrigger implements Trigger<unknown, Window> {
  static readonly #instance: EventTimeTrigger = new EventTimeTrigger();
  readonly isDefaultFor = "event-time";

  static create(): EventTimeTrigger {
    return EventTimeTrigger.#instance;
  }

  onElement(_value: unknown, _timestampMs: number, window: Window, context: TriggerContext): TriggerResult {
    if (window.maxTimestampMs <= context.currentWatermark) return "FIRE";
    context.registerEventTimeTimer(window.maxTimestampMs);
    return "CONTINUE";
  }

  onEventTime(timestampMs: number, window: Window): TriggerResult {
    return timestampMs === window.maxTimestampMs ? "FIRE" : "CONTINUE";
  }

  onProcessingTime(): TriggerResult {
    return "CONTINUE";
  }

  clear(window: Window, context: TriggerContext): void {
    context.deleteEventTimeTimer(window.maxTimestampMs);
  }

  onMerge(window: Window, context: OnMergeContext): void {
    // Past the watermark nothing is registered: the record that caused the merge fires the window itself.
    if (window.maxTimestampMs > context.currentWatermark) context.registerEventTimeTimer(window.maxTimestampMs);
  }
}
