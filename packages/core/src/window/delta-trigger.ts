import { ValueStateDescriptor } from "../state/descriptors.js";
import type { TypeInformation } from "../types/type-information.js";
import type { DeltaFunction } from "./delta.js";
import type { Trigger, TriggerContext, TriggerResult } from "./trigger.js";
import type { Window } from "./window.js";

/** Fires when a record is more than `threshold` away from the one that fired last (at first: from the first record). Not for merging windows. */
export class DeltaTrigger<T> implements Trigger<T, Window> {
  readonly #threshold: number;
  readonly #delta: DeltaFunction<T>;
  readonly #last: ValueStateDescriptor<T>;

  private constructor(threshold: number, delta: DeltaFunction<T>, type: TypeInformation<T> | undefined) {
    this.#threshold = threshold;
    this.#delta = delta;
    this.#last = new ValueStateDescriptor<T>("last-element", type);
  }

  static of<T>(threshold: number, delta: DeltaFunction<T>, type?: TypeInformation<T>): DeltaTrigger<T> {
    return new DeltaTrigger(threshold, delta, type);
  }

  onElement(value: T, _timestampMs: number, _window: Window, context: TriggerContext): TriggerResult {
    const state = context.getPartitionedState(this.#last);
    const last = state.value();
    if (last === undefined) {
      state.update(value);
      return "CONTINUE";
    }
    if (this.#delta(last, value) <= this.#threshold) return "CONTINUE";
    state.update(value);
    return "FIRE";
  }

  onEventTime(): TriggerResult {
    return "CONTINUE";
  }

  onProcessingTime(): TriggerResult {
    return "CONTINUE";
  }

  clear(_window: Window, context: TriggerContext): void {
    context.getPartitionedState(this.#last).clear();
  }
}
