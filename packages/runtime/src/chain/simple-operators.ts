import type { FilterFn, FlatMapFn, MapFn, OneInputOperator, OperatorContext, Output } from "@millrace/core";
import type { FilterSpec, FlatMapSpec, MapSpec } from "@millrace/graph";
import { FunctionOperator } from "../operators/function-operator.js";
import { emitReturned } from "../operators/returned-records.js";
import { TimestampedCollector } from "../operators/timestamped-collector.js";
import { refusePromise, resolveFunction } from "../operators/user-function.js";

/** `map`: the compiled chain calls `call` itself; `processRecord` is the reference path. */
export class MapOperator<T, R> extends FunctionOperator<R> implements OneInputOperator<T, R> {
  readonly call: MapFn<T, R>;

  constructor(context: OperatorContext, spec: MapSpec) {
    const { call, rich } = resolveFunction<MapFn<T, R>>(spec.fn, context.operatorName, "map");
    super(context, rich);
    this.call = call;
  }

  processRecord(value: T, timestampMs: number, out: Output<R>): void {
    const call = this.call;
    const result = call(value);
    refusePromise(result, this.context.operatorName);
    out.collect(result, timestampMs);
  }
}

/** `filter`: the compiled chain calls `call` itself; `processRecord` is the reference path. */
export class FilterOperator<T> extends FunctionOperator<T> implements OneInputOperator<T, T> {
  readonly call: FilterFn<T>;

  constructor(context: OperatorContext, spec: FilterSpec) {
    const { call, rich } = resolveFunction<FilterFn<T>>(spec.fn, context.operatorName, "filter");
    super(context, rich);
    this.call = call;
  }

  processRecord(value: T, timestampMs: number, out: Output<T>): void {
    const call = this.call;
    const result = call(value);
    refusePromise(result, this.context.operatorName);
    if (result) out.collect(value, timestampMs);
  }
}

/** `flatMap`: the compiled chain calls `call` itself; `processRecord` is the reference path. */
export class FlatMapOperator<T, R> extends FunctionOperator<R> implements OneInputOperator<T, R> {
  readonly call: FlatMapFn<T, R>;
  readonly #collector = new TimestampedCollector<R>();

  constructor(context: OperatorContext, spec: FlatMapSpec) {
    const { call, rich } = resolveFunction<FlatMapFn<T, R>>(spec.fn, context.operatorName, "flatMap");
    super(context, rich);
    this.call = call;
  }

  processRecord(value: T, timestampMs: number, out: Output<R>): void {
    const call = this.call;
    const result: unknown = call(value, this.#collector.at(timestampMs, out));
    if (result !== undefined) emitReturned(result, this.#collector, this.context.operatorName);
  }
}
