import type { OneInputOperator, OperatorContext, Output, ProcessFunction } from "@millrace/core";
import type { ProcessSpec } from "@millrace/graph";
import { createElementContext, TimerlessService, type ElementContext } from "./element-context.js";
import { instantiate, refusePromise } from "./user-function.js";
import { WatermarkOperator } from "./watermark-operator.js";

/** Runs a ProcessFunction on a stream without keys: side outputs and time, but neither keyed state nor timers. */
export class ProcessOperator extends WatermarkOperator implements OneInputOperator {
  private readonly fn: ProcessFunction<unknown, unknown>;
  private readonly element: ElementContext;

  constructor(spec: ProcessSpec, context: OperatorContext) {
    const fn = instantiate<ProcessFunction<unknown, unknown>>(spec.fn, context.operatorName, ["processElement"]);
    super(context, fn);
    this.fn = fn;
    this.element = createElementContext(context, new TimerlessService(context, () => this.currentWatermarkMs));
  }

  processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void {
    const element = this.element;
    element.at(timestampMs, out);
    const result: unknown = this.fn.processElement(value, element, element.collector);
    if (result !== undefined) refusePromise(result, this.context.operatorName);
  }
}
