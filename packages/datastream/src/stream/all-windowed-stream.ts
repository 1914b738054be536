import type { AggregateFunction, ProcessAllWindowFunction, ProcessFunctionSource, ReduceFn, Window, WindowAssigner } from "@millrace/core";
import { checkPlainFunction } from "../functions/user-function.js";
import { checkAggregate } from "./check-aggregate.js";
import type { DataStream, SingleOutputStreamOperator } from "./data-stream.js";
import { WindowAggregations } from "./window-aggregations.js";
import { allWindowFunctionSpec, windowFunctionSpec, type AllWindowFn } from "./window-settings.js";

/** All records of a stream cut into windows, in one subtask. `trigger`, `evictor`, `allowedLateness` and `sideOutputLateData` change this object; the others add the operator. Flink: AllWindowedStream. */
export class AllWindowedStream<T, W extends Window> extends WindowAggregations<T, W> {
  constructor(stream: DataStream<T>, assigner: WindowAssigner<T, W>) {
    super(stream, assigner, undefined);
  }

  /** Combines records as they come. The function beside it sees the combined value and the window. */
  reduce(reduce: ReduceFn<T>): SingleOutputStreamOperator<T>;
  reduce<R>(reduce: ReduceFn<T>, fn: AllWindowFn<T, R, W> | ProcessFunctionSource<ProcessAllWindowFunction<T, R, W>>): SingleOutputStreamOperator<R>;
  reduce(reduce: ReduceFn<T>, fn?: unknown): SingleOutputStreamOperator<any> {
    checkPlainFunction(reduce, "reduce");
    return this.build("Reduce", { reduce, ...(fn === undefined ? {} : { fn: windowFunctionSpec(fn, "processAll", "reduce") }) });
  }
  /** Accumulates records as they come. The function beside it sees the result and the window. */
  aggregate<ACC, R>(aggregate: AggregateFunction<T, ACC, R>): SingleOutputStreamOperator<R>;
  aggregate<ACC, V, R>(aggregate: AggregateFunction<T, ACC, V>, fn: AllWindowFn<V, R, W> | ProcessFunctionSource<ProcessAllWindowFunction<V, R, W>>): SingleOutputStreamOperator<R>;
  aggregate(aggregate: AggregateFunction<T, any, any>, fn?: unknown): SingleOutputStreamOperator<any> {
    checkAggregate(aggregate);
    return this.build("Aggregate", { aggregate, ...(fn === undefined ? {} : { fn: windowFunctionSpec(fn, "processAll", "aggregate") }) });
  }
  /** Sees all records of the window at once. */
  process<R>(fn: ProcessFunctionSource<ProcessAllWindowFunction<T, R, W>>): SingleOutputStreamOperator<R> {
    return this.build<R>("Process", { fn: windowFunctionSpec(fn, "processAll", "process") });
  }
  /** As `process`, as a plain function. */
  apply<R>(fn: AllWindowFn<T, R, W>): SingleOutputStreamOperator<R> {
    checkPlainFunction(fn, "apply");
    return this.build<R>("Apply", { fn: allWindowFunctionSpec(fn) });
  }
}
