import {
  functionFactory, MillraceError, type CoFlatMapFunction, type CoMapFunction, type CoProcessFunction, type FlatMapFn, type KeyedCoProcessFunction, type KeySelector, type MapFn,
  type OperatorFactory, type ProcessFunctionSource, type RichFunctionSource, type TwoInputOperator, type TypeInformation,
} from "@millrace/core";
import type { OperatorSpec } from "@millrace/graph";
import { checkFunction, checkFunctionSource, checkPlainFunction, type NotAsync } from "../functions/user-function.js";
import { SingleOutputStreamOperator, type DataStream } from "./data-stream.js";
import type { KeyedStream } from "./keyed-stream.js";

/** Two streams of different types that one operator reads, sharing its state. Flink: ConnectedStreams. */
export class ConnectedStreams<A, B> {
  readonly first: DataStream<A>;
  readonly second: DataStream<B>;

  constructor(first: DataStream<A>, second: DataStream<B>) {
    if (first.environment !== second.environment) {
      throw new MillraceError({ code: "ENVIRONMENT_MIXED", message: "the connected streams belong to different environments", hint: "build one job with one environment" });
    }
    this.first = first;
    this.second = second;
  }

  /** A function per input, or one class with `map1` and `map2`. */
  map<R>(fn1: MapFn<A, R> & NotAsync<R>, fn2: MapFn<B, R> & NotAsync<R>): SingleOutputStreamOperator<R>;
  map<R>(fn: RichFunctionSource<CoMapFunction<A, B, R>>): SingleOutputStreamOperator<R>;
  map<R>(fn: MapFn<A, R> | RichFunctionSource<CoMapFunction<A, B, R>>, fn2?: MapFn<B, R>): SingleOutputStreamOperator<R> {
    checkFunction(fn, "map");
    if (fn2 !== undefined) checkPlainFunction(fn2, "map");
    const source = fn2 === undefined ? (fn as RichFunctionSource<CoMapFunction<A, B, R>>) : functionFactory(() => ({ map1: fn as MapFn<A, R>, map2: fn2 }));
    return this.addOperator<R>("Co-Map", withFunctions({ type: "coMap", fn: source }, fn, fn2));
  }

  flatMap<R>(fn1: FlatMapFn<A, R>, fn2: FlatMapFn<B, R>): SingleOutputStreamOperator<R>;
  flatMap<R>(fn: RichFunctionSource<CoFlatMapFunction<A, B, R>>): SingleOutputStreamOperator<R>;
  flatMap<R>(fn: FlatMapFn<A, R> | RichFunctionSource<CoFlatMapFunction<A, B, R>>, fn2?: FlatMapFn<B, R>): SingleOutputStreamOperator<R> {
    checkFunction(fn, "flatMap");
    if (fn2 !== undefined) checkPlainFunction(fn2, "flatMap");
    const source = fn2 === undefined ? (fn as RichFunctionSource<CoFlatMapFunction<A, B, R>>) : functionFactory(() => ({ flatMap1: fn as FlatMapFn<A, R>, flatMap2: fn2 }));
    return this.addOperator<R>("Co-Flat Map", withFunctions({ type: "coFlatMap", fn: source }, fn, fn2));
  }

  process<R>(fn: ProcessFunctionSource<CoProcessFunction<A, B, R>>): SingleOutputStreamOperator<R> {
    checkFunctionSource(fn, "process");
    return this.addOperator<R>("Co-Process", { type: "coProcess", fn });
  }

  /** Keys both streams, by selectors of one key type or by a field of each. */
  keyBy<K>(selector1: KeySelector<A, K> & NotAsync<K>, selector2: KeySelector<B, K>): KeyedConnectedStreams<A, B, K>;
  keyBy<F extends keyof A & string, G extends keyof B & string>(field1: F, field2: A[F] extends B[G] ? G : never): KeyedConnectedStreams<A, B, A[F]>;
  keyBy(key1: unknown, key2: unknown): KeyedConnectedStreams<A, B, any> {
    const { environment } = this.first;
    return new KeyedConnectedStreams<A, B, any>(
      environment.keyedStream<A, any>(this.first, this.first.selectorOf([key1], "keyBy")),
      environment.keyedStream<B, any>(this.second, this.second.selectorOf([key2], "keyBy")),
    );
  }

  /** Adds a two-input operator of the core SPI. */
  transform<R>(name: string, factory: OperatorFactory<TwoInputOperator<A, B, R>>, outputType?: TypeInformation<R>): SingleOutputStreamOperator<R> {
    checkPlainFunction(factory, "transform");
    return this.addOperator<R>(name, { type: "custom", inputs: 2, factory }, outputType);
  }

  protected addOperator<R>(name: string, spec: OperatorSpec, outputType?: TypeInformation<R>): SingleOutputStreamOperator<R> {
    const { environment } = this.first;
    const node = environment.addOperator({ spec, name, inputs: [this.first.inputs, this.second.inputs], keySelectors: this.keySelectorsOf(spec), outputType });
    return new SingleOutputStreamOperator<R>(environment, node);
  }

  protected keySelectorsOf(_spec: OperatorSpec): readonly KeySelector<any, any>[] {
    return [];
  }
}

/** Two streams keyed alike: records of one key meet in one subtask, with state and timers. */
export class KeyedConnectedStreams<A, B, K> extends ConnectedStreams<A, B> {
  readonly #keySelectors: readonly KeySelector<any, any>[];

  constructor(first: KeyedStream<A, K>, second: KeyedStream<B, K>) {
    super(first, second);
    this.#keySelectors = [first.keySelector, second.keySelector];
  }

  override process<R>(fn: ProcessFunctionSource<KeyedCoProcessFunction<K, A, B, R>>): SingleOutputStreamOperator<R> {
    checkFunctionSource(fn, "process");
    return this.addOperator<R>("Keyed Co-Process", { type: "keyedCoProcess", fn });
  }

  /** A pair of plain functions cannot see the key, and is spared the state. */
  protected override keySelectorsOf(spec: OperatorSpec): readonly KeySelector<any, any>[] {
    const plain = (spec.type === "coMap" || spec.type === "coFlatMap") && spec.functions !== undefined;
    return plain ? [] : this.#keySelectors;
  }
}

/** Keeps the pair of plain functions beside the factory that binds them, so that the fingerprint sees their text. */
function withFunctions<S extends OperatorSpec>(spec: S, fn1: unknown, fn2: unknown): S {
  return fn2 === undefined ? spec : { ...spec, functions: [fn1, fn2] };
}
