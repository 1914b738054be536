import type {
  KeyedProcessFunction, KeySelector, ProcessFunctionSource, ReduceFn, ReduceFunction, RichFunctionSource, Window, GlobalWindow,
} from "@millrace/core";
import { MillraceError } from "@millrace/core";
import type { OperatorSpec, Partitioner } from "@millrace/graph";
import type { StreamExecutionEnvironment } from "../environment/stream-execution-environment.js";
import { implicitForward, type StreamInput } from "../environment/operator-init.js";
import { combineNumbers, extremeByField, extremeBySelector, extremeOfField, sumOfField, type FieldName } from "../functions/aggregations.js";
import { checkField, type ComparableField, type NumericField } from "../functions/fields.js";
import { checkFunction, checkFunctionSource, checkPlainFunction, isRich } from "../functions/user-function.js";
import { BroadcastStream, KeyedBroadcastConnectedStream } from "./broadcast-stream.js";
import { ConnectedStreams, KeyedConnectedStreams } from "./connected-streams.js";
import { countWindow } from "./count-window.js";
import { DataStream, type SingleOutputStreamOperator } from "./data-stream.js";
import { IntervalJoin } from "./interval-join.js";
import { KeyedPartitionWindowedStream } from "./partition-windowed-stream.js";
import { recordHint } from "./record-hint.js";
import type { AssignerOf } from "./window-settings.js";
import { WindowedStream } from "./windowed-stream.js";

/**
 * A stream partitioned by key: all records of one key go to one subtask, where functions have state and timers per key. Flink: KeyedStream.
 *
 * Rich functions of `map`, `filter` and `flatMap` may use keyed state here, too.
 */
export class KeyedStream<T, K> extends DataStream<T> {
  readonly keySelector: KeySelector<T, K>;

  constructor(environment: StreamExecutionEnvironment, inputs: readonly StreamInput[], keySelector: KeySelector<T, K>, partitioner: Partitioner = { kind: "hash", keySelector }) {
    super(environment, inputs.map((input) => ({ ...input, partitioner })));
    this.keySelector = keySelector;
  }

  /** Any number of results per record, with state and timers of the record's key. */
  override process<R>(fn: ProcessFunctionSource<KeyedProcessFunction<K, T, R>>): SingleOutputStreamOperator<R> {
    checkFunctionSource(fn, "process");
    return this.addOperator<R>("KeyedProcess", { type: "keyedProcess", fn });
  }

  // ---- rolling aggregation: one result per record; in batch mode one per key

  /** Combines each record with the key's value so far. */
  reduce(fn: ReduceFn<T> | RichFunctionSource<ReduceFunction<T>>): SingleOutputStreamOperator<T> {
    checkFunction(fn, "reduce");
    return this.addOperator<T>("Keyed Reduce", { type: "keyedReduce", fn });
  }
  /** Sums a field (the other fields stay those of the key's first record), or what a selector gives. */
  sum(field: NumericField<T>): SingleOutputStreamOperator<T>;
  sum(selector: (value: T) => number): SingleOutputStreamOperator<number>;
  sum(what: FieldName | ((value: T) => number)): SingleOutputStreamOperator<any> {
    return typeof what === "function" ? this.rollingNumber("sum", what) : this.rolling("Sum", what, sumOfField, "sum");
  }
  /** The smallest value of a field (the other fields stay those of the key's first record), or of what a selector gives. */
  min(field: ComparableField<T>): SingleOutputStreamOperator<T>;
  min(selector: (value: T) => number): SingleOutputStreamOperator<number>;
  min(what: FieldName | ((value: T) => number)): SingleOutputStreamOperator<any> {
    return typeof what === "function" ? this.rollingNumber("min", what) : this.rolling("Min", what, (field) => extremeOfField(field, "<"), "min");
  }
  /** As `min`, the largest. */
  max(field: ComparableField<T>): SingleOutputStreamOperator<T>;
  max(selector: (value: T) => number): SingleOutputStreamOperator<number>;
  max(what: FieldName | ((value: T) => number)): SingleOutputStreamOperator<any> {
    return typeof what === "function" ? this.rollingNumber("max", what) : this.rolling("Max", what, (field) => extremeOfField(field, ">"), "max");
  }
  /** The whole record with the smallest value; of equal ones the first (or the last with `first: false`). */
  minBy(what: ComparableField<T> | ((value: T) => number | string | bigint), first: boolean = true): SingleOutputStreamOperator<T> {
    return this.rollingRecord("Min By", what as FieldName, "<", first);
  }
  /** As `minBy`, the largest. */
  maxBy(what: ComparableField<T> | ((value: T) => number | string | bigint), first: boolean = true): SingleOutputStreamOperator<T> {
    return this.rollingRecord("Max By", what as FieldName, ">", first);
  }

  // ---- windows

  /** Cuts each key's records into windows. */
  window<W extends Window>(assigner: AssignerOf<T, W>): WindowedStream<T, K, W> {
    return new WindowedStream<T, K, W>(this, assigner);
  }
  /** Every `size` records of a key; with `slide`, the last `size` of them every `slide` records. */
  countWindow(size: number, slide?: number): WindowedStream<T, K, GlobalWindow> {
    return countWindow(this, size, slide);
  }
  /** All records of each key, as one window at the end of bounded input. */
  override fullWindowPartition(): KeyedPartitionWindowedStream<T, K> {
    return new KeyedPartitionWindowedStream<T, K>(this);
  }

  // ---- two streams

  /** Joins records of one key whose times are close: `a.intervalJoin(b).between("-5 s", "5 s").process(…)`. Event time only. */
  intervalJoin<B>(other: KeyedStream<B, K>): IntervalJoin<T, B, K> {
    return new IntervalJoin<T, B, K>(this, other);
  }

  /** With a stream keyed alike, one operator with state per key over both; with a broadcast stream, broadcast state beside it. */
  override connect<B>(other: BroadcastStream<B>): KeyedBroadcastConnectedStream<T, B, K>;
  override connect<B>(other: KeyedStream<B, K>): KeyedConnectedStreams<T, B, K>;
  override connect<B>(other: DataStream<B>): ConnectedStreams<T, B>;
  override connect<B>(other: DataStream<B> | BroadcastStream<B>): any {
    if (other instanceof BroadcastStream) return new KeyedBroadcastConnectedStream<T, B, K>(this, other);
    return other instanceof KeyedStream ? new KeyedConnectedStreams<T, B, K>(this, other) : new ConnectedStreams<T, B>(this, other);
  }

  protected override keySelectorsOf(spec: OperatorSpec): readonly KeySelector<any, any>[] {
    return usesKeyedState(spec) ? [this.keySelector] : [];
  }

  /** @throws `PARTITIONING_KEYED`: the partitions of a keyed stream follow from its keys */
  protected override partitioned(partitioner: Partitioner): DataStream<T> {
    throw new MillraceError({
      code: "PARTITIONING_KEYED",
      message: `${partitioner.kind} cannot override the partitioning of a keyed stream`,
      hint: "partition the stream before keyBy, or the operator's output after it",
    });
  }

  private rolling(name: string, field: FieldName, reducer: (field: FieldName) => ReduceFn<any>, combine?: "sum" | "min" | "max"): SingleOutputStreamOperator<T> {
    checkField(field, recordHint(this.inputs));
    return this.addOperator<T>(`Keyed ${name}`, { type: "keyedReduce", fn: reducer(field), ...(combine === undefined ? {} : { fieldReduction: { field, combine } }) });
  }

  private rollingRecord(name: string, what: FieldName | ((value: T) => number), order: "<" | ">", first: boolean): SingleOutputStreamOperator<T> {
    if (typeof what !== "function") return this.rolling(name, what, (field) => extremeByField(field, order, first));
    checkPlainFunction(what, name);
    return this.addOperator<T>(`Keyed ${name}`, { type: "keyedReduce", fn: extremeBySelector(what, order, first) });
  }

  /** Reduces [key, number] pairs, so that the key stays known, and emits the numbers. */
  private rollingNumber(kind: "sum" | "min" | "max", selector: (value: T) => number): SingleOutputStreamOperator<number> {
    checkPlainFunction(selector, kind);
    const { keySelector } = this;
    const combine = combineNumbers[kind];
    const unkeyed = new DataStream<T>(this.environment, this.inputs.map((input) => ({ ...input, partitioner: implicitForward })));
    const pairs = unkeyed.addOperator<Pair<K>>("Map", { type: "map", fn: (value: T): Pair<K> => [keySelector(value), selector(value)], functions: [keySelector, selector] });
    return new KeyedStream<Pair<K>, K>(this.environment, pairs.inputs, (pair) => pair[0])
      .reduce((a, b) => [a[0], combine(a[1], b[1])])
      .name(`Keyed ${kind[0]!.toUpperCase()}${kind.slice(1)}`)
      .map((pair) => pair[1]);
  }
}

/** Whether an operator can see the key: a plain function cannot, and is spared the state. */
export function usesKeyedState(spec: OperatorSpec): boolean {
  switch (spec.type) {
    case "map":
    case "filter":
    case "flatMap":
      return isRich(spec.fn);
    case "keyedProcess":
    case "keyedReduce":
    case "partitionWindow":
    case "custom":
      return true;
    default:
      return false;
  }
}

type Pair<K> = readonly [K, number];
