import type { Collector } from "../record/collector.js";
import type { RichFunction } from "./rich-function.js";

/**
 * The user functions of simple transformations, each as a plain function or as the method of a rich class.
 *
 * All are called by one thread, one record at a time, in the order of their input partition. They must not return promises
 * (`asyncMap` is for that) and must not change a record they were given.
 */
export type MapFn<T, R> = (value: T) => R;
/** Says whether a record is kept. */
export type FilterFn<T> = (value: T) => boolean;
/**
 * Emits through the collector, returns what to emit (an array, a generator: `Iterable & object`, since a string is an iterable of characters), or both:
 * what it returns comes after what it collected.
 */
export type FlatMapFn<T, R> = (value: T, out: Collector<R>) => FlatMapResult<R>;
/** What a `flatMap` may return: nothing, or the records to emit, at the time of the record they are made of. */
export type FlatMapResult<R> = void | undefined | (Iterable<R> & object);
/** Combines what there is with one more record; the type stays the same. Associative where windows merge. */
export type ReduceFn<T> = (accumulator: T, value: T) => T;

const commutativeBrand: unique symbol = Symbol.for("millrace.commutative") as never;

/**
 * Marks a reduce function whose result does not depend on the order of the records, in no field. Sliding windows may then share partial results,
 * which makes them cost the same for every size and slide; without the mark each window reduces its records in order of arrival, as in Flink.
 */
export function commutative<T>(reduce: ReduceFn<T>): ReduceFn<T> {
  return Object.assign((accumulator: T, value: T): T => reduce(accumulator, value), { [commutativeBrand]: true });
}

export function isCommutative(reduce: ReduceFn<any>): boolean {
  return (reduce as { readonly [commutativeBrand]?: true })[commutativeBrand] === true;
}
/** The key of a record: the same one every time, of a type with a stable encoding (else `KEY_INVALID`). */
export type KeySelector<T, K> = (value: T) => K;
/** The event time of a record, in integer epoch milliseconds; `recordTimestampMs` is what the source gave it. Flink: TimestampAssigner. */
export type TimestampAssigner<T> = (value: T, recordTimestampMs: number) => number;
/** Returns the channel for a key, in [0, numberOfChannels). */
export type PartitionFn<K> = (key: K, numberOfChannels: number) => number;

/** {@link MapFn} with a life cycle. Flink: RichMapFunction. */
export interface MapFunction<T, R> extends RichFunction {
  map(value: T): R;
}
/** {@link FilterFn} with a life cycle. Flink: RichFilterFunction. */
export interface FilterFunction<T> extends RichFunction {
  filter(value: T): boolean;
}
/** {@link FlatMapFn} with a life cycle. Flink: RichFlatMapFunction. */
export interface FlatMapFunction<T, R> extends RichFunction {
  flatMap(value: T, out: Collector<R>): FlatMapResult<R>;
}
/** {@link ReduceFn} with a life cycle. Flink: RichReduceFunction. */
export interface ReduceFunction<T> extends RichFunction {
  reduce(accumulator: T, value: T): T;
}
/** One result per record of either input. Flink: CoMapFunction. */
export interface CoMapFunction<A, B, R> extends RichFunction {
  map1(value: A): R;
  map2(value: B): R;
}
/** Any number of results per record of either input, as {@link FlatMapFn} gives them. Flink: CoFlatMapFunction. */
export interface CoFlatMapFunction<A, B, R> extends RichFunction {
  flatMap1(value: A, out: Collector<R>): FlatMapResult<R>;
  flatMap2(value: B, out: Collector<R>): FlatMapResult<R>;
}
/** Joins one pair of records of the same key and window (or interval). */
export type JoinFn<A, B, R> = (left: A, right: B) => R;
/** As {@link JoinFn}, with any number of results per pair. */
export type FlatJoinFn<A, B, R> = (left: A, right: B, out: Collector<R>) => void | undefined;
/** Sees all records of one key and window, of both streams; one side may be empty. Flink: CoGroupFunction. */
export type CoGroupFn<A, B, R> = (left: Iterable<A>, right: Iterable<B>, out: Collector<R>) => void | undefined;
/** Maps a whole bounded partition at once. */
export type MapPartitionFn<T, R> = (values: Iterable<T>, out: Collector<R>) => void | undefined;

/**
 * Incremental aggregation: `createAccumulator`, `add` per record, `getResult` per firing.
 *
 * `add` may change the accumulator it is given and return it. `merge` is needed for merging windows (sessions) and makes sliding windows cheap
 * (slices are shared); without it each sliding window keeps its own accumulator. With it, senders in a cluster may add up what goes to a window, also a tumbling one. Flink: AggregateFunction.
 */
export interface AggregateFunction<IN, ACC, OUT> {
  createAccumulator(): ACC;
  add(value: IN, accumulator: ACC): ACC;
  getResult(accumulator: ACC): OUT;
  /** Must be associative and commutative (with sliding windows records are combined by time, not by arrival), and must not change either argument's meaning for later use: it may change and return `a`, never `b`. */
  merge?(a: ACC, b: ACC): ACC;
}
