/** The kinds of state, bound to the current key (keyed) or to the subtask (operator). Access is synchronous. Flink: working with state. */

export interface KeyedState {
  /** Removes the current key's value. */
  clear(): void;
}
/** One value per key. Flink: ValueState. */
export interface ValueState<T> extends KeyedState {
  /** `undefined` (or the descriptor's default) when the key has none. */
  value(): T | undefined;
  update(value: T): void;
}
export interface AppendingState<IN, OUT> extends KeyedState {
  get(): OUT;
  add(value: IN): void;
}
/** A list per key, in order of arrival; empty when nothing was added. Flink: ListState. */
export interface ListState<T> extends AppendingState<T, Iterable<T>> {
  update(values: readonly T[]): void;
  addAll(values: Iterable<T>): void;
}
/** One value per key, each added one combined into it. Flink: ReducingState. */
export interface ReducingState<T> extends AppendingState<T, T | undefined> {}
/** An accumulator per key; `get` gives its result. Flink: AggregatingState. */
export interface AggregatingState<IN, OUT> extends AppendingState<IN, OUT | undefined> {}
/** A map per key. Its entries come in no defined order. Flink: MapState. */
export interface MapState<K, V> extends KeyedState {
  get(key: K): V | undefined;
  put(key: K, value: V): void;
  putAll(entries: Iterable<readonly [K, V]>): void;
  remove(key: K): void;
  contains(key: K): boolean;
  entries(): Iterable<readonly [K, V]>;
  keys(): Iterable<K>;
  values(): Iterable<V>;
  isEmpty(): boolean;
}

/** State of one subtask rather than of a key; redistributed element by element when the parallelism changes. */
export interface OperatorListState<T> {
  get(): Iterable<T>;
  add(value: T): void;
  update(values: readonly T[]): void;
  clear(): void;
}
/** Broadcast state as the side that is not broadcast sees it. */
export interface ReadOnlyBroadcastState<K, V> {
  get(key: K): V | undefined;
  contains(key: K): boolean;
  entries(): Iterable<readonly [K, V]>;
}
/** A map of which every subtask has a copy; they stay equal as long as each makes the same changes. Flink: BroadcastState. */
export interface BroadcastState<K, V> extends ReadOnlyBroadcastState<K, V> {
  put(key: K, value: V): void;
  remove(key: K): void;
  clear(): void;
}
