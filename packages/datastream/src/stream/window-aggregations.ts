import type { DurationLike, Evictor, KeySelector, OutputTag, ReduceFn, Trigger, Window, WindowAssigner } from "@millrace/core";
import type { WindowSpec } from "@millrace/graph";
import { aggregateOfSelector, combineNumbers, extremeByField, extremeBySelector, extremeOfField, sumOfField, type FieldName } from "../functions/aggregations.js";
import { checkField, type ComparableField, type NumericField } from "../functions/fields.js";
import { checkPlainFunction } from "../functions/user-function.js";
import type { DataStream, SingleOutputStreamOperator } from "./data-stream.js";
import { recordHint } from "./record-hint.js";
import { WindowSettings } from "./window-settings.js";

/** What keyed windows and windows over everything have in common: their settings, and the aggregations that need no function of the user's. */
export abstract class WindowAggregations<T, W extends Window> {
  protected readonly stream: DataStream<T>;
  protected readonly settings: WindowSettings<T, W>;
  readonly #keySelector: KeySelector<T, any> | undefined;
  readonly #kind: "Window" | "All-Window";

  constructor(stream: DataStream<T>, assigner: WindowAssigner<T, W>, keySelector: KeySelector<T, any> | undefined) {
    this.stream = stream;
    this.settings = new WindowSettings<T, W>(assigner);
    this.#keySelector = keySelector;
    this.#kind = keySelector === undefined ? "All-Window" : "Window";
  }

  /** Replaces the assigner's own trigger. */
  trigger(trigger: Trigger<T, W>): this {
    this.settings.setTrigger(trigger);
    return this;
  }
  /** Removes records before or after the function runs; the window then keeps every record. */
  evictor(evictor: Evictor<any, W>): this {
    this.settings.setEvictor(evictor);
    return this;
  }
  /** How long after its end a window is kept for late records, each of which fires it again. Default: not at all. */
  allowedLateness(lateness: DurationLike): this {
    this.settings.setAllowedLateness(lateness);
    return this;
  }
  /** Sends records too late for any window to `tag` instead of dropping and counting them. */
  sideOutputLateData(tag: OutputTag<T>): this {
    this.settings.lateTag = tag;
    return this;
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
    return typeof what === "function" ? this.build("Min By", { reduce: extremeBySelector(what, "<", first) }) : this.field("Min By", what, extremeByField(what, "<", first));
  }
  /** As `minBy`, the largest. */
  maxBy(what: ComparableField<T> | ((value: T) => number | string | bigint), first: boolean = true): SingleOutputStreamOperator<T> {
    return typeof what === "function" ? this.build("Max By", { reduce: extremeBySelector(what, ">", first) }) : this.field("Max By", what, extremeByField(what, ">", first));
  }

  private field(name: string, field: FieldName, reduce: ReduceFn<T>): SingleOutputStreamOperator<T> {
    checkField(field, recordHint(this.stream.inputs));
    return this.build<T>(name, { reduce });
  }
  private number(kind: "sum" | "min" | "max", selector: (value: T) => number): SingleOutputStreamOperator<number> {
    checkPlainFunction(selector, kind);
    return this.build<number>(`${kind[0]!.toUpperCase()}${kind.slice(1)}`, { aggregate: aggregateOfSelector(selector, combineNumbers[kind]) });
  }
  /** Adds the operator; `name` without what kind of window it is. */
  protected build<R>(name: string, result: Pick<WindowSpec, "reduce" | "aggregate" | "fn">): SingleOutputStreamOperator<R> {
    return this.settings.build<R>(this.stream, this.#keySelector, `${this.#kind} ${name}`, result);
  }
}
