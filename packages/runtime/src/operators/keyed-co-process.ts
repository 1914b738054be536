import type { InternalTimerService, KeyedCoProcessFunction, OperatorContext, Output, TimerHandler, TwoInputOperator } from "@millrace/core";
import type { KeyedCoProcessSpec } from "@millrace/graph";
import { createElementContext, KeyedTimerService, type ElementContext } from "./element-context.js";
import { FunctionOperator } from "./function-operator.js";
import { specialize } from "./specialize.js";
import { instantiate, refusePromise } from "./user-function.js";

type Fn = KeyedCoProcessFunction<unknown, unknown, unknown, unknown>;
type Make = (context: OperatorContext, fn: Fn, elementOf: (timers: InternalTimerService) => ElementContext) => TwoInputOperator;

/** Re-evaluated per operator, see `specialize`. */
function keyedCoProcessFactory(Base: typeof FunctionOperator, refuse: typeof refusePromise): Make {
  class KeyedCoProcess extends Base implements TwoInputOperator, TimerHandler {
    private readonly fn: Fn;
    private readonly element: ElementContext;

    constructor(context: OperatorContext, fn: Fn, elementOf: (timers: InternalTimerService) => ElementContext) {
      super(context, fn);
      this.fn = fn;
      this.element = elementOf(context.timers("user-timers", this));
    }

    processRecord1(value: unknown, timestampMs: number, out: Output<unknown>): void {
      const element = this.element;
      element.at(timestampMs, out);
      const result: unknown = this.fn.processElement1(value, element, element.collector);
      if (result !== undefined) refuse(result, this.context.operatorName);
    }

    processRecord2(value: unknown, timestampMs: number, out: Output<unknown>): void {
      const element = this.element;
      element.at(timestampMs, out);
      const result: unknown = this.fn.processElement2(value, element, element.collector);
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
  return (context, fn, elementOf) => new KeyedCoProcess(context, fn, elementOf);
}

/** Runs a KeyedCoProcessFunction: two inputs keyed alike share state and timers per key. */
export function keyedCoProcess(spec: KeyedCoProcessSpec, context: OperatorContext): TwoInputOperator {
  const fn = instantiate<Fn>(spec.fn, context.operatorName, ["processElement1", "processElement2"]);
  const make = specialize(keyedCoProcessFactory, context.operatorId)(FunctionOperator, refusePromise);
  return make(context, fn, (timers) => createElementContext(context, new KeyedTimerService(timers)));
}
