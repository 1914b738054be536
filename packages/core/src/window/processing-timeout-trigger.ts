import type { DurationLike } from "../time/duration.js";
import { ValueStateDescriptor } from "../state/descriptors.js";
import { Types } from "../types/type-information.js";
import { windowLength } from "./assigner-support.js";
import type { Trigger, TriggerContext, TriggerResult } from "./trigger.js";
import type { Window } from "./window.js";

const timeoutDescriptor = new ValueStateDescriptor<number>("timeout", Types.number);

/**
 * Fires when the nested trigger does, or when `timeout` of processing time has passed since the first record after the last firing
 * (`resetTimerOnNewRecord`: since the latest record). `shouldClearOnTimeout` clears the nested trigger at a timeout. Not for merging windows.
 * Flink: ProcessingTimeoutTrigger.
 */
export class ProcessingTimeoutTrigger<T, W extends Window> implements Trigger<T, W> {
  readonly #nested: Trigger<T, W>;
  readonly #timeoutMs: number;
  readonly #resetTimerOnNewRecord: boolean;
  readonly #shouldClearOnTimeout: boolean;

  private constructor(nested: Trigger<T, W>, timeoutMs: number, resetTimerOnNewRecord: boolean, shouldClearOnTimeout: boolean) {
    this.#nested = nested;
    this.#timeoutMs = timeoutMs;
    this.#resetTimerOnNewRecord = resetTimerOnNewRecord;
    this.#shouldClearOnTimeout = shouldClearOnTimeout;
  }

  static of<T, W extends Window>(
    nested: Trigger<T, W>, timeout: DurationLike, resetTimerOnNewRecord = false, shouldClearOnTimeout = true,
  ): ProcessingTimeoutTrigger<T, W> {
    return new ProcessingTimeoutTrigger(nested, windowLength("ProcessingTimeoutTrigger", "the timeout", timeout), resetTimerOnNewRecord, shouldClearOnTimeout);
  }

  onElement(value: T, timestampMs: number, window: W, context: TriggerContext): TriggerResult {
    const result = this.#nested.onElement(value, timestampMs, window, context);
    if (result === "FIRE" || result === "FIRE_AND_PURGE") {
      this.clear(window, context);
      return result;
    }
    const timeout = context.getPartitionedState(timeoutDescriptor);
    let pendingMs = timeout.value();
    if (pendingMs !== undefined && this.#resetTimerOnNewRecord) {
      context.deleteProcessingTimeTimer(pendingMs);
      pendingMs = undefined;
    }
    if (pendingMs === undefined) {
      const nextMs = context.currentProcessingTime + this.#timeoutMs;
      timeout.update(nextMs);
      context.registerProcessingTimeTimer(nextMs);
    }
    return result;
  }

  onEventTime(timestampMs: number, window: W, context: TriggerContext): TriggerResult {
    return this.#timedOut(this.#nested.onEventTime(timestampMs, window, context), window, context);
  }

  onProcessingTime(timestampMs: number, window: W, context: TriggerContext): TriggerResult {
    return this.#timedOut(this.#nested.onProcessingTime(timestampMs, window, context), window, context);
  }

  clear(window: W, context: TriggerContext): void {
    const timeout = context.getPartitionedState(timeoutDescriptor);
    const pendingMs = timeout.value();
    if (pendingMs !== undefined) {
      context.deleteProcessingTimeTimer(pendingMs);
      timeout.clear();
    }
    this.#nested.clear(window, context);
  }

  #timedOut(nested: TriggerResult, window: W, context: TriggerContext): TriggerResult {
    if (this.#shouldClearOnTimeout) this.clear(window, context);
    return nested === "PURGE" || nested === "FIRE_AND_PURGE" ? "FIRE_AND_PURGE" : "FIRE";
  }
}
