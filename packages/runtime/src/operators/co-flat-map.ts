import type { CoFlatMapFunction, OperatorContext, Output, TwoInputOperator } from "@millrace/core";
import type { CoFlatMapSpec } from "@millrace/graph";
import { FunctionOperator } from "./function-operator.js";
import { emitReturned } from "./returned-records.js";
import { TimestampedCollector } from "./timestamped-collector.js";
import { instantiate } from "./user-function.js";

/** Maps two inputs of different types to any number of records each. */
export class CoFlatMap extends FunctionOperator implements TwoInputOperator {
  private readonly fn: CoFlatMapFunction<unknown, unknown, unknown>;
  private readonly collector: TimestampedCollector = new TimestampedCollector();

  constructor(spec: CoFlatMapSpec, context: OperatorContext) {
    const fn = instantiate<CoFlatMapFunction<unknown, unknown, unknown>>(spec.fn, context.operatorName, ["flatMap1", "flatMap2"]);
    super(context, fn);
    this.fn = fn;
  }

  processRecord1(value: unknown, timestampMs: number, out: Output<unknown>): void {
    const result: unknown = this.fn.flatMap1(value, this.collector.at(timestampMs, out));
    if (result !== undefined) emitReturned(result, this.collector, this.context.operatorName);
  }

  processRecord2(value: unknown, timestampMs: number, out: Output<unknown>): void {
    const result: unknown = this.fn.flatMap2(value, this.collector.at(timestampMs, out));
    if (result !== undefined) emitReturned(result, this.collector, this.context.operatorName);
  }
}
