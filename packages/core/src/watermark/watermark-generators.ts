import type { RecordBatch } from "../record/record-batch.js";
import { MIN_WATERMARK } from "../time/timestamps.js";

/** Where a generator puts watermarks. */
export interface WatermarkOutput {
  /** Lower values than the last one are ignored. */
  emitWatermark(timestampMs: number): void;
  markIdle(): void;
  markActive(): void;
}

/** Turns time stamps into watermarks, per record (punctuated) or every `pipeline.auto-watermark-interval` (periodic). Flink: WatermarkGenerator. */
export interface WatermarkGenerator<T> {
  onEvent(value: T, timestampMs: number, output: WatermarkOutput): void;
  onPeriodicEmit(output: WatermarkOutput): void;
  /** Optional fast form of `onEvent` for generators that never emit from it. */
  onBatch?(batch: RecordBatch<T>, from: number, to: number): void;
}

class BoundedOutOfOrderness<T> implements WatermarkGenerator<T> {
  private maxTimestampMs: number;
  private readonly maxOutOfOrdernessMs: number;

  constructor(maxOutOfOrdernessMs: number) {
    this.maxOutOfOrdernessMs = maxOutOfOrdernessMs;
    // So that the first watermark is MIN_WATERMARK and the subtraction below stays exact.
    this.maxTimestampMs = MIN_WATERMARK + maxOutOfOrdernessMs + 1;
  }

  onEvent(_value: T, timestampMs: number): void {
    if (timestampMs > this.maxTimestampMs) this.maxTimestampMs = timestampMs;
  }

  onBatch(batch: RecordBatch<T>, from: number, to: number): void {
    const timestamps = batch.timestampsMs;
    let max = this.maxTimestampMs;
    for (let i = from; i < to; i++) if (timestamps[i]! > max) max = timestamps[i]!;
    this.maxTimestampMs = max;
  }

  onPeriodicEmit(output: WatermarkOutput): void {
    output.emitWatermark(this.maxTimestampMs - this.maxOutOfOrdernessMs - 1);
  }
}

/** The largest time stamp seen, minus the bound, minus one. */
export function boundedOutOfOrderness<T>(maxOutOfOrdernessMs: number): WatermarkGenerator<T> {
  return new BoundedOutOfOrderness<T>(maxOutOfOrdernessMs);
}

const none: WatermarkGenerator<unknown> = {
  onEvent() {},
  onPeriodicEmit() {},
  onBatch() {},
};

/** Never emits one. */
export function noWatermarks<T>(): WatermarkGenerator<T> {
  return none;
}
