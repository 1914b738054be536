import type { KeyedState } from "../state/state.js";
import type { StateDescriptor } from "../state/descriptors.js";
import type { Window } from "./window.js";

/** What happens to a window after a trigger was asked. */
export type TriggerResult = "CONTINUE" | "FIRE" | "PURGE" | "FIRE_AND_PURGE";

/** What a trigger can ask, and its timers and state, each for one key and window. */
export interface TriggerContext {
  readonly currentProcessingTime: number;
  readonly currentWatermark: number;
  registerEventTimeTimer(timestampMs: number): void;
  registerProcessingTimeTimer(timestampMs: number): void;
  deleteEventTimeTimer(timestampMs: number): void;
  deleteProcessingTimeTimer(timestampMs: number): void;
  /** State per key and window. */
  getPartitionedState<S extends KeyedState>(descriptor: StateDescriptor<S>): S;
}
/** {@link TriggerContext} of a window that others were merged into. */
export interface OnMergeContext extends TriggerContext {
  mergePartitionedState(descriptor: StateDescriptor): void;
}

/** Decides when a window's result is emitted and when its contents go. Stateless itself; its state goes through the context. Flink: Trigger. */
export interface Trigger<T, W extends Window> {
  onElement(value: T, timestampMs: number, window: W, context: TriggerContext): TriggerResult;
  onEventTime(timestampMs: number, window: W, context: TriggerContext): TriggerResult;
  onProcessingTime(timestampMs: number, window: W, context: TriggerContext): TriggerResult;
  clear(window: W, context: TriggerContext): void;
  /** Needed with merging assigners. */
  onMerge?(window: W, context: OnMergeContext): void;
  /** Marks Flink's default triggers, which the engine may replace by its own bookkeeping. */
  readonly isDefaultFor?: "event-time" | "processing-time";
}
