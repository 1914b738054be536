import type { Trigger, TriggerContext, TriggerResult } from "./trigger.js";
import type { Window } from "./window.js";

/** Fires once, when the last watermark says that the input has ended: the default of `GlobalWindows.createWithEndOfStreamTrigger()`. */
export class EndOfStreamTrigger implements Trigger<unknown, Window> {
  static create(): EndOfStreamTrigger {
    return new EndOfStreamTrigger();
  }

  onElement(_value: unknown, _timestampMs: number, window: Window, context: TriggerContext): TriggerResult {
    context.registerEventTimeTimer(window.maxTimestampMs);
    return "CONTINUE";
  }

  onEventTime(timestampMs: number, window: Window): TriggerResult {
    return timestampMs === window.maxTimestampMs ? "FIRE_AND_PURGE" : "CONTINUE";
  }

  onProcessingTime(): TriggerResult {
    return "CONTINUE";
  }

  clear(window: Window, context: TriggerContext): void {
    context.deleteEventTimeTimer(window.maxTimestampMs);
  }

  onMerge(): void {}
}
