import { duration, type Duration, type DurationLike } from "../time/duration.js";
import type { TimestampAssigner } from "../functions/functions.js";
import { boundedOutOfOrderness, noWatermarks, type WatermarkGenerator } from "./watermark-generators.js";

/** Sources of one group do not get further ahead of the slowest than the drift. Flink: watermark alignment. */
export interface WatermarkAlignment {
  readonly group: string;
  readonly maxDriftMs: Duration;
  readonly updateIntervalMs: Duration;
}

/**
 * How event time comes into being: time stamps from records, watermarks from time stamps, and what to do about silent partitions.
 * Immutable; each `with…` returns a changed copy. Flink: WatermarkStrategy.
 */
export class WatermarkStrategy<T> {
  /** Makes the generator of one split (or of one subtask, after a source). */
  readonly createGenerator: () => WatermarkGenerator<T>;
  readonly timestampAssigner: TimestampAssigner<T> | undefined;
  /** `undefined`: silent inputs hold the watermark back for ever. */
  readonly idleTimeoutMs: Duration | undefined;
  readonly alignment: WatermarkAlignment | undefined;

  private constructor(
    createGenerator: () => WatermarkGenerator<T>,
    timestampAssigner: TimestampAssigner<T> | undefined,
    idleTimeoutMs: Duration | undefined,
    alignment: WatermarkAlignment | undefined,
  ) {
    this.createGenerator = createGenerator;
    this.timestampAssigner = timestampAssigner;
    this.idleTimeoutMs = idleTimeoutMs;
    this.alignment = alignment;
  }

  /** Time stamps never decrease within a partition. */
  static forMonotonousTimestamps<T>(): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>(() => boundedOutOfOrderness(0), undefined, undefined, undefined);
  }

  /** Records may be up to `maxOutOfOrderness` behind the newest one seen. */
  static forBoundedOutOfOrderness<T>(maxOutOfOrderness: DurationLike): WatermarkStrategy<T> {
    const maxMs = duration(maxOutOfOrderness);
    return new WatermarkStrategy<T>(() => boundedOutOfOrderness(maxMs), undefined, undefined, undefined);
  }

  /** A generator of your own, periodic or punctuated. */
  static forGenerator<T>(createGenerator: () => WatermarkGenerator<T>): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>(createGenerator, undefined, undefined, undefined);
  }

  /** No event time: processing-time programs, and batch-like ones that only want the final watermark. */
  static noWatermarks<T>(): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>(noWatermarks, undefined, undefined, undefined);
  }

  /** Takes the time stamp from the record; without it the source's own time stamp is used. */
  withTimestampAssigner<U extends T = T>(assigner: TimestampAssigner<U>): WatermarkStrategy<U> {
    return new WatermarkStrategy<U>(
      this.createGenerator as () => WatermarkGenerator<U>,
      assigner,
      this.idleTimeoutMs,
      this.alignment,
    );
  }

  /** A partition that is silent for this long no longer holds the watermark back. */
  withIdleness(timeout: DurationLike): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>(this.createGenerator, this.timestampAssigner, duration(timeout), this.alignment);
  }

  /** Splits and sources of one group wait for each other once they are `maxDrift` ahead of the slowest. */
  withWatermarkAlignment(group: string, maxDrift: DurationLike, updateInterval: DurationLike = 1000): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>(this.createGenerator, this.timestampAssigner, this.idleTimeoutMs, {
      group,
      maxDriftMs: duration(maxDrift),
      updateIntervalMs: duration(updateInterval),
    });
  }
}
