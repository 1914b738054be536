import type { Window } from "./window.js";

/** A record of a window and its time. */
export interface TimestampedValue<T> {
  readonly value: T;
  readonly timestampMs: number;
}
/** What an evictor can ask. */
export interface EvictorContext {
  readonly currentProcessingTime: number;
  readonly currentWatermark: number;
}
/** Removes records from a window before or after its function runs; returns those that stay, in order. Flink: Evictor. */
export interface Evictor<T, W extends Window> {
  evictBefore(elements: readonly TimestampedValue<T>[], window: W, context: EvictorContext): readonly TimestampedValue<T>[];
  evictAfter(elements: readonly TimestampedValue<T>[], window: W, context: EvictorContext): readonly TimestampedValue<T>[];
}
