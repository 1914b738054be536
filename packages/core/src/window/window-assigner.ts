import type { Trigger } from "./trigger.js";
import type { Window, WindowCodec } from "./window.js";

/** What an assigner can ask. */
export interface WindowAssignerContext {
  currentProcessingTime(): number;
}

/** How an aligned assigner cuts time, so that the engine can share slices between windows instead of storing each record per window. */
export interface SlicedWindows {
  readonly kind: "tumbling" | "sliding" | "cumulating";
  readonly sizeMs: number;
  /** Equal to `sizeMs` for tumbling windows; the step for cumulating ones. */
  readonly slideMs: number;
  readonly offsetMs: number;
}

/** Decides which windows a record belongs to. Flink: WindowAssigner. */
export interface WindowAssigner<T, W extends Window> {
  readonly isEventTime: boolean;
  assignWindows(value: T, timestampMs: number, context: WindowAssignerContext): readonly W[];
  getDefaultTrigger(): Trigger<T, W>;
  readonly windowCodec: WindowCodec<W>;
  /** Set by aligned assigners whose windows may be computed from slices. */
  readonly sliced?: SlicedWindows | undefined;
  /** Set by merging assigners (sessions): calls `merge` once per group of windows that must become one. */
  mergeWindows?(windows: readonly W[], merge: (toBeMerged: readonly W[], result: W) => void): void;
  /** Called once per operator instance: the assigner this instance uses. For assigners that keep something per subtask (a stagger). */
  forOperator?(random: () => number): WindowAssigner<T, W>;
  /** Set by the built-in session assigners: the gap of a record, with which the engine may keep sessions without per-window state. */
  readonly sessionWindows?: true;
  readonly gapOf?: (value: T) => number;
}

