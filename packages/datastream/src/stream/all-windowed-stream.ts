import type { AggregateFunction, DurationLike, Evictor, OutputTag, ProcessFunctionSource, ProcessAllWindowFunction, ReduceFn, Trigger, Window, WindowAssigner } from "@millrace/core";
import type { WindowSpec } from "@millrace/graph";
import { aggregateOfSelector, combineNumbers, extremeByField, extremeBySelector, extremeOfField, sumOfField, type FieldName } from "../functions/aggregations.js";
import { checkField, type ComparableField, type NumericField } from "../functions/fields.js";
import { checkPlainFunction } from "../functions/user-function.js";
import type { DataStream, SingleOutputStreamOperator } from "./data-stream.js";
import { checkAggregate } from "./check-aggregate.js";
import { recordHint } from "./record-hint.js";
import { allWindowFunctionSpec, WindowSettings, windowFunctionSpec, type AllWindowFn } from "./window-settings.js";

/** All records of a stream cut into windows, in one subtask. `trigger`, `evictor`, `allowedLateness` and `sideOutputLateData` change this object; the others add the operator. Flink: AllWindowedStream. */
export class AllWindowedStream<T, W extends Window> {
  readonly #stream: DataStream<T>;
  readonly #settings: WindowSettings<T, W>;

  constructor(stream: DataStream<T>, assigner: WindowAssigner<T, W>) {
    this.#stream = stream;
    this.#settings = new WindowSettings<T, W>(assigner);
  }

  /** Replaces the assigner's own trigger. */
  trigger(trigger: Trigger<T, W>): this {
    this.#settings.setTrigger(trigger);
    return this;
  }
  /** Removes records before or after the function runs; the window then keeps every record. */
  evictor(evictor: Evictor<any, W>): this {
    this.#settings.setEvictor(evictor);
    return this;
  }
  /** How long after its end a window is kept for late records, each of which fires it again. Default: not at all. */
  allowedLateness(lateness: DurationLike): this {
    this.#settings.setAllowedLateness(lateness);
    return this;
  }
  /** Sends records too late for any window to `tag` instead of dropping and counting them. */
  sideOutputLateData(tag: OutputTag<T>): this {
    this.#settings.lateTag = tag;
    return this;
  }

  /** Combines records as they come. The function beside it sees the combined value and the window. */
  reduce(reduce: ReduceFn<T>): SingleOutputStreamOperator<T>;
  reduce<R>(reduce: ReduceFn<T>, fn: AllWindowFn<T, R, W> | ProcessFunctionSource<ProcessAllWindowFunction<T, R, W>>): SingleOutputStreamOperator<R>;
  reduce(reduce: ReduceFn<T>, fn?: unknown): SingleOutputStreamOperator<any> {
    checkPlainFunction(reduce, "reduce");
    return this.build("All-Window Reduce", { reduce, ...(fn === undefined ? {} : { fn: windowFunctionSpec(fn, "processAll", "reduce") }) });
  }
  /** Accumulates records as they come. The function beside it sees the result and the window. */
  aggregate<ACC, R>(aggregate: AggregateFunction<T, ACC, R>): SingleOutputStreamOperator<R>;
  aggregate<ACC, V, R>(aggregate: AggregateFunction<T, ACC, V>, fn: AllWindowFn<V, R, W> | ProcessFunctionSource<ProcessAllWindowFunction<V, R, W>>): SingleOutputStreamOperator<R>;
  aggregate(aggregate: AggregateFunction<T, any, any>, fn?: unknown): SingleOutputStreamOperator<any> {
    checkAggregate(aggregate);
    return this.build("All-Window Aggregate", { aggregate, ...(fn === undefined ? {} : { fn: windowFunctionSpec(fn, "processAll", "aggregate") }) });
  }
  /** Sees all records of the window at once. */
  process<R>(fn: ProcessFunctionSource<ProcessAllWindowFunction<T, R, W>>): SingleOutputStreamOperator<R> {
    return this.build<R>("All-Window Process", { fn: windowFunctionSpec(fn, "processAll", "process") });
  }
  /** As `process`, as a plain function. */
  apply<R>(fn: AllWindowFn<T, R, W>): SingleOutputStreamOperator<R> {
    checkPlainFunction(fn, "apply");
    return this.build<R>("All-Window Apply", { fn: allWindowFunctionSpec(fn) });
  }

  /** Sums a field (the other fields stay those of the window's first record), or what a selector gives. */
  sum(field: NumericField<T>): SingleOutputStreamOperator<T>;
  sum(selector: (value: T) => number): SingleOutputStreamOperator<number>;
  sum(what: FieldName | ((value: T) => number)): SingleOutputStreamOperator<any> {
    return typeof what === "function" ? this.number("sum", what) : this.field("Sum", what, sumOfField(what));
  }
  /** The smallest value of a field (the other fields stay those of the window's first record), or of what a selector gives. */
  min(field: ComparableField<T>): SingleOutputStreamOperator<T>;
  min(selector: (value: T) => number): SingleOutputStreamOperator<number>;
  min(what: FieldName | ((value: T) => number)): SingleOutputStreamOperator<any> {
    return typeof what === "function" ? this.number("min", what) : this.field("Min", what, extremeOfField(what, "<"));
  }
  /** As `min`, the largest. */
  max(field: ComparableField<T>): SingleOutputStreamOperator<T>;
  max(selector: (value: T) => number): SingleOutputStreamOperator<number>;
  max(what: FieldName | ((value: T) => number)): SingleOutputStreamOperator<any> {
    return typeof what === "function" ? this.number("max", what) : this.field("Max", what, extremeOfField(what, ">"));
  }
  /** The whole record with the smallest value; of equal ones the first (or the last with `first: false`). */
  minBy(what: ComparableField<T> | ((value: T) => number | string | bigint), first: boolean = true): SingleOutputStreamOperator<T> {
    return typeof what === "function" ? this.build("All-Window Min By", { reduce: extremeBySelector(what, "<", first) }) : this.field("Min By", what, extremeByField(what, "<", first));
  }
  /** As `minBy`, the largest. */
  maxBy(what: ComparableField<T> | ((value: T) => number | string | bigint), first: boolean = true): SingleOutputStreamOperator<T> {
    return typeof what === "function" ? this.build("All-Window Max By", { reduce: extremeBySelector(what, ">", first) }) : this.field("Max By", what, extremeByField(what, ">", first));
  }

  private field(name: string, field: FieldName, reduce: ReduceFn<T>): SingleOutputStreamOperator<T> {
    checkField(field, recordHint(this.#stream.inputs));
    return this.build<T>(`All-Window ${name}`, { reduce });
  }
  private number(kind: "sum" | "min" | "max", selector: (value: T) => number): SingleOutputStreamOperator<number> {
    checkPlainFunction(selector, kind);
    return this.build<number>(`All-Window ${kind[0]!.toUpperCase()}${kind.slice(1)}`, { aggregate: aggregateOfSelector(selector, combineNumbers[kind]) });
  }
  private build<R>(name: string, result: Pick<WindowSpec, "reduce" | "aggregate" | "fn">): SingleOutputStreamOperator<R> {
    return this.#settings.build<R>(this.#stream, undefined, name, result);
  }
}
