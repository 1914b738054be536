import { MillraceError } from "../errors/millrace-error.js";
import { ReducingStateDescriptor } from "../state/descriptors.js";
import { Types } from "../types/type-information.js";
import type { OnMergeContext, Trigger, TriggerContext, TriggerResult } from "./trigger.js";
import type { Window } from "./window.js";

const countDescriptor = new ReducingStateDescriptor<number>("count", (a, b) => a + b, Types.number);

/** Fires when a window has had `maxCount` records since it last fired. Fires only; wrap it in `PurgingTrigger` to drop them, too. */
export class CountTrigger implements Trigger<unknown, Window> {
  readonly maxCount: number;

  private constructor(maxCount: number) {
    this.maxCount = maxCount;
  }

  /** @throws `TRIGGER_INVALID` unless `maxCount` is a positive integer. */
  static of(maxCount: number): CountTrigger {
    if (!Number.isSafeInteger(maxCount) || maxCount <= 0) {
      throw new MillraceError({ code: "TRIGGER_INVALID", message: `CountTrigger: ${String(maxCount)} is not a count`, hint: "give a positive integer" });
    }
    return new CountTrigger(maxCount);
  }

  onElement(_value: unknown, _timestampMs: number, _window: Window, context: TriggerContext): TriggerResult {
    const count = context.getPartitionedState(countDescriptor);
    count.add(1);
    if (count.get()! < this.maxCount) return "CONTINUE";
    count.clear();
    return "FIRE";
  }

  onEventTime(): TriggerResult {
    return "CONTINUE";
  }

  onProcessingTime(): TriggerResult {
    return "CONTINUE";
  }

  clear(_window: Window, context: TriggerContext): void {
    context.getPartitionedState(countDescriptor).clear();
  }

  onMerge(_window: Window, context: OnMergeContext): void {
    context.mergePartitionedState(countDescriptor);
  }
}
