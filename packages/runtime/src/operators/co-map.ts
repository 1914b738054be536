import type { CoMapFunction, OperatorContext, Output, TwoInputOperator } from "@millrace/core";
import type { CoMapSpec } from "@millrace/graph";
import { FunctionOperator } from "./function-operator.js";
import { instantiate, refusePromise } from "./user-function.js";

/** Maps two inputs of different types to one output: one result per record, at the record's time. */
export class CoMap extends FunctionOperator implements TwoInputOperator {
  private readonly fn: CoMapFunction<unknown, unknown, unknown>;
  /** Results are looked at for promises once per input. */
  private checked1 = false;
  private checked2 = false;

  constructor(spec: CoMapSpec, context: OperatorContext) {
    const fn = instantiate<CoMapFunction<unknown, unknown, unknown>>(spec.fn, context.operatorName, ["map1", "map2"]);
    super(context, fn);
    this.fn = fn;
  }

  processRecord1(value: unknown, timestampMs: number, out: Output<unknown>): void {
    const result = this.fn.map1(value);
    if (!this.checked1) {
      refusePromise(result, this.context.operatorName);
      this.checked1 = true;
    }
    out.collect(result, timestampMs);
  }

  processRecord2(value: unknown, timestampMs: number, out: Output<unknown>): void {
    const result = this.fn.map2(value);
    if (!this.checked2) {
      refusePromise(result, this.context.operatorName);
      this.checked2 = true;
    }
    out.collect(result, timestampMs);
  }
}
