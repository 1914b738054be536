import { AUTO_WATERMARK_INTERVAL, MAX_WATERMARK, MIN_WATERMARK } from "@millrace/core";
import type { Cancellable, OneInputOperator, OperatorContext, Output, TimestampAssigner, WatermarkGenerator, WatermarkOutput } from "@millrace/core";
import type { TimestampsSpec } from "@millrace/graph";
import { createGenerator, type ActiveClock } from "./idleness-generator.js";
import { timestampInvalid } from "./timestamp-check.js";

/**
 * `assignTimestampsAndWatermarks` in mid-stream: watermarks and idleness from before are dropped (except the last watermark), its own take their place.
 *
 * The compiled chain calls `assigner` and `generator` itself; `processRecord` is the reference path. Flink: TimestampsAndWatermarksOperator.
 */
export class TimestampsOperator<T> implements OneInputOperator<T, T>, WatermarkOutput {
  readonly assigner: TimestampAssigner<T> | undefined;
  readonly generator: WatermarkGenerator<T>;
  readonly #context: OperatorContext;
  #timer: Cancellable | undefined;
  #watermarkMs = MIN_WATERMARK;
  #idle = false;

  constructor(context: OperatorContext, spec: TimestampsSpec, clock: ActiveClock) {
    this.assigner = spec.watermarks.timestampAssigner;
    this.generator = createGenerator(spec.watermarks, clock, context.config);
    this.#context = context;
  }

  open(): void {
    this.#schedule();
  }

  processRecord(value: T, timestampMs: number, out: Output<T>): void {
    const assigner = this.assigner;
    const stamp = assigner === undefined ? timestampMs : assigner(value, timestampMs);
    if (!Number.isSafeInteger(stamp)) this.refuse(stamp, value);
    out.collect(value, stamp);
    this.generator.onEvent(value, stamp, this);
  }

  refuse(timestampMs: unknown, value: unknown): never {
    throw timestampInvalid(timestampMs, value, this.#context.operatorName);
  }

  processWatermark(timestampMs: number): void {
    if (timestampMs === MAX_WATERMARK) this.emitWatermark(timestampMs);
  }

  processStatus(): void {}

  finish(): void {
    this.generator.onPeriodicEmit(this);
  }

  close(): void {
    this.#timer?.cancel();
  }

  emitWatermark(timestampMs: number): void {
    if (timestampMs <= this.#watermarkMs) return;
    this.#watermarkMs = timestampMs;
    this.markActive();
    this.#context.output.emitWatermark(timestampMs);
  }

  markIdle(): void {
    if (this.#idle) return;
    this.#idle = true;
    this.#context.output.emitStatus(true);
  }

  markActive(): void {
    if (!this.#idle) return;
    this.#idle = false;
    this.#context.output.emitStatus(false);
  }

  #schedule(): void {
    const intervalMs = this.#context.config.get(AUTO_WATERMARK_INTERVAL);
    if (intervalMs <= 0) return;
    const { processingTime } = this.#context;
    this.#timer = processingTime.registerTimer(processingTime.nowMs() + intervalMs, () => {
      this.generator.onPeriodicEmit(this);
      this.#schedule();
    });
  }
}
