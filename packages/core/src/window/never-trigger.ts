import type { Trigger, TriggerResult } from "./trigger.js";
import type { Window } from "./window.js";

/** Never fires: the default of `GlobalWindows.create()`. */
export class NeverTrigger implements Trigger<unknown, Window> {
  static create(): NeverTrigger {
    return new NeverTrigger();
  }

  onElement(): TriggerResult {
    return "CONTINUE";
  }

  onEventTime(): TriggerResult {
    return "CONTINUE";
  }

  onProcessingTime(): TriggerResult {
    return "CONTINUE";
  }

  clear(): void {}

  onMerge(): void {}
}
