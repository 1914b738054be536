import type { CoProcessFunction, OperatorContext, Output, TwoInputOperator } from "@millrace/core";
import type { CoProcessSpec } from "@millrace/graph";
import { createElementContext, TimerlessService, type ElementContext } from "./element-context.js";
import { instantiate, refusePromise } from "./user-function.js";
import { WatermarkOperator } from "./watermark-operator.js";

/** Runs a CoProcessFunction on two inputs without keys. */
export class CoProcess extends WatermarkOperator implements TwoInputOperator {
  private readonly fn: CoProcessFunction<unknown, unknown, unknown>;
  private readonly element: ElementContext;

  constructor(spec: CoProcessSpec, context: OperatorContext) {
    const fn = instantiate<CoProcessFunction<unknown, unknown, unknown>>(spec.fn, context.operatorName, ["processElement1", "processElement2"]);
    super(context, fn);
    this.fn = fn;
    this.element = createElementContext(context, new TimerlessService(context, () => this.currentWatermarkMs));
  }

  processRecord1(value: unknown, timestampMs: number, out: Output<unknown>): void {
    const element = this.element;
    element.at(timestampMs, out);
    const result: unknown = this.fn.processElement1(value, element, element.collector);
    if (result !== undefined) refusePromise(result, this.context.operatorName);
  }

  processRecord2(value: unknown, timestampMs: number, out: Output<unknown>): void {
    const element = this.element;
    element.at(timestampMs, out);
    const result: unknown = this.fn.processElement2(value, element, element.collector);
    if (result !== undefined) refusePromise(result, this.context.operatorName);
  }
}
