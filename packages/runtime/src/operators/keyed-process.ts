import type { InternalTimerService, KeyedProcessFunction, OneInputOperator, OperatorContext, Output, TimerHandler } from "@millrace/core";
import type { KeyedProcessSpec } from "@millrace/graph";
import { createElementContext, KeyedTimerService, type ElementContext } from "./element-context.js";
import { FunctionOperator } from "./function-operator.js";
import { specialize } from "./specialize.js";
import { instantiate, refusePromise } from "./user-function.js";

type Fn = KeyedProcessFunction<unknown, unknown, unknown>;
type Make = (context: OperatorContext, fn: Fn, elementOf: (timers: InternalTimerService) => ElementContext) => OneInputOperator;

/** Re-evaluated per operator, see `specialize`. */
function keyedProcessFactory(Base: typeof FunctionOperator, refuse: typeof refusePromise): Make {
  class KeyedProcess extends Base implements OneInputOperator, TimerHandler {
    private readonly fn: Fn;
    private readonly element: ElementContext;

    constructor(context: OperatorContext, fn: Fn, elementOf: (timers: InternalTimerService) => ElementContext) {
      super(context, fn);
      this.fn = fn;
      this.element = elementOf(context.timers("user-timers", this));
    }

    processRecord(value: unknown, timestampMs: number, out: Output<unknown>): void {
      const element = this.element;
      element.at(timestampMs, out);
      const result: unknown = this.fn.processElement(value, element, element.collector);
      if (result !== undefined) refuse(result, this.context.operatorName);
    }

    onEventTime(timestampMs: number, _namespace: string, out: Output<unknown>): void {
      this.element.atTimer(timestampMs, "event-time", out);
      this.onTimer(timestampMs);
    }

    onProcessingTime(timestampMs: number, _namespace: string, out: Output<unknown>): void {
      this.element.atTimer(timestampMs, "processing-time", out);
      this.onTimer(timestampMs);
    }

    private onTimer(timestampMs: number): void {
      if (this.fn.onTimer === undefined) return;
      const result: unknown = this.fn.onTimer(timestampMs, this.element, this.element.collector);
      if (result !== undefined) refuse(result, this.context.operatorName);
    }
  }
  return (context, fn, elementOf) => new KeyedProcess(context, fn, elementOf);
}

/** Runs a KeyedProcessFunction: state and timers per key, side outputs. */
export function keyedProcess(spec: KeyedProcessSpec, context: OperatorContext): OneInputOperator {
  const fn = instantiate<Fn>(spec.fn, context.operatorName, ["processElement"]);
  const make = specialize(keyedProcessFactory, context.operatorId)(FunctionOperator, refusePromise);
  return make(context, fn, (timers) => createElementContext(context, new KeyedTimerService(timers)));
}
