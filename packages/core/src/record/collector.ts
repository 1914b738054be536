import type { OutputTag } from "./output-tag.js";

/** Takes the results of a user function. */
export interface Collector<T> {
  /**
   * Emits one record. Without `timestampMs` it carries the time stamp of the record (or timer, or window) being processed.
   * Synchronous; never blocks: what exceeds the buffers is counted, and the task takes no more input until it has drained.
   */
  collect(value: T, timestampMs?: number): void;
}

/** What an operator writes to: the rest of its chain, or the edges that leave its task. */
export interface Output<T> {
  /** Emits one record; `timestampMs` is `NO_TIMESTAMP` for a record without event time. */
  collect(value: T, timestampMs: number): void;
  /** Emits one record to the side output `tag`; dropped when nobody reads that tag. */
  sideOutput<X>(tag: OutputTag<X>, value: X, timestampMs: number): void;
  /** Emits a watermark; must not decrease. */
  emitWatermark(timestampMs: number): void;
  /** Marks this output as idle (excluded from downstream minimum watermarks) or active again. */
  emitStatus(idle: boolean): void;
  /** True while the edges behind this output have no room; long emissions should stop and be resumed. */
  readonly blocked: boolean;
}
