import type { AggregateFunction, ProcessFunctionSource, ProcessWindowFunction, ReduceFn, Window, WindowAssigner, WindowFn } from "@millrace/core";
import { checkPlainFunction } from "../functions/user-function.js";
import { checkAggregate } from "./check-aggregate.js";
import type { SingleOutputStreamOperator } from "./data-stream.js";
import type { KeyedStream } from "./keyed-stream.js";
import { WindowAggregations } from "./window-aggregations.js";
import { windowFunctionSpec } from "./window-settings.js";

/** A keyed stream cut into windows. `trigger`, `evictor`, `allowedLateness` and `sideOutputLateData` change this object; the others add the operator. Flink: WindowedStream. */
export class WindowedStream<T, K, W extends Window> extends WindowAggregations<T, W> {
  constructor(stream: KeyedStream<T, K>, assigner: WindowAssigner<T, W>) {
    super(stream, assigner, stream.keySelector);
  }

  /** Combines records as they come. The function beside it sees the combined value and the window. */
  reduce(reduce: ReduceFn<T>): SingleOutputStreamOperator<T>;
  reduce<R>(reduce: ReduceFn<T>, fn: WindowFn<T, R, K, W> | ProcessFunctionSource<ProcessWindowFunction<T, R, K, W>>): SingleOutputStreamOperator<R>;
  reduce(reduce: ReduceFn<T>, fn?: unknown): SingleOutputStreamOperator<any> {
    checkPlainFunction(reduce, "reduce");
    return this.build("Reduce", { reduce, ...(fn === undefined ? {} : { fn: windowFunctionSpec(fn, "process", "reduce") }) });
  }
  /** Accumulates records as they come. The function beside it sees the result and the window. */
  aggregate<ACC, R>(aggregate: AggregateFunction<T, ACC, R>): SingleOutputStreamOperator<R>;
  aggregate<ACC, V, R>(aggregate: AggregateFunction<T, ACC, V>, fn: WindowFn<V, R, K, W> | ProcessFunctionSource<ProcessWindowFunction<V, R, K, W>>): SingleOutputStreamOperator<R>;
  aggregate(aggregate: AggregateFunction<T, any, any>, fn?: unknown): SingleOutputStreamOperator<any> {
    checkAggregate(aggregate);
    return this.build("Aggregate", { aggregate, ...(fn === undefined ? {} : { fn: windowFunctionSpec(fn, "process", "aggregate") }) });
  }
  /** Sees all records of the window at once. */
  process<R>(fn: ProcessFunctionSource<ProcessWindowFunction<T, R, K, W>>): SingleOutputStreamOperator<R> {
    return this.build<R>("Process", { fn: windowFunctionSpec(fn, "process", "process") });
  }
  /** As `process`, as a plain function. */
  apply<R>(fn: WindowFn<T, R, K, W>): SingleOutputStreamOperator<R> {
    checkPlainFunction(fn, "apply");
    return this.build<R>("Apply", { fn: { kind: "plain", fn } });
  }
}
