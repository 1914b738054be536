import { MIN_WATERMARK, type Output } from "@millrace/core";
import { FunctionOperator } from "./function-operator.js";

/** A function operator that remembers the watermark, for operators that have no timer service to ask. */
export abstract class WatermarkOperator<OUT = unknown> extends FunctionOperator<OUT> {
  protected currentWatermarkMs: number = MIN_WATERMARK;

  processWatermark(timestampMs: number, out: Output<OUT>): boolean | void {
    this.currentWatermarkMs = timestampMs;
    out.emitWatermark(timestampMs);
  }
}
