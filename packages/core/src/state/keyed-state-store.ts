import type { KeyedState, AggregatingState, ListState, MapState, ReducingState, ValueState } from "./state.js";
import type {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  StateDescriptor,
  ValueStateDescriptor,
} from "./descriptors.js";

/**
 * Opens keyed state by descriptor. Opening the same name twice gives the same state.
 *
 * @throws `STATE_NOT_KEYED` outside a keyed stream, `STATE_DESCRIPTOR_CONFLICT` when a name was opened as another kind,
 * `STATE_TYPE_INCOMPATIBLE` when a restored state was written with a type that does not fit.
 */
export interface KeyedStateStore {
  getState<T>(descriptor: ValueStateDescriptor<T>): ValueState<T>;
  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>;
  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V>;
  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T>;
  getAggregatingState<IN, ACC, OUT>(descriptor: AggregatingStateDescriptor<IN, ACC, OUT>): AggregatingState<IN, OUT>;
}

/** A window or other scope inside a key. Its `id` is encoded with the state and orders equal namespaces; undefined is the void namespace. */
export interface Namespace {
  readonly id: string;
}

/**
 * Keyed state as operators see it: everything is bound to the current key, and (for windows) to the current namespace.
 *
 * One per keyed operator and subtask. Call `setCurrentKey` before touching any state. Not for user functions.
 */
export interface KeyedStateBackend<K = unknown> extends KeyedStateStore {
  readonly maxParallelism: number;
  /** First and last key group of this subtask, both inclusive. */
  readonly keyGroupRange: readonly [number, number];
  /** Binds every state to `key`; `hash` is its key hash when the sender computed it already. `KEY_INVALID` for a key with no stable encoding. */
  setCurrentKey(key: K, hash?: number): void;
  /** @throws `STATE_NO_CURRENT_KEY` before the first key. */
  readonly currentKey: K;
  readonly currentKeyHash: number;
  readonly currentKeyGroup: number;
  /**
   * Announces that keys with the hashes from `from` to `to` come next, so that their state can be fetched together. Worth it for tens to
   * thousands of keys at a time; changes nothing but speed.
   */
  prefetch?(hashes: ArrayLike<number>, from: number, to: number): void;
  /** Opens state that lives per key and namespace; the handle has its own namespace cursor. */
  namespacedState<S extends KeyedState>(descriptor: StateDescriptor<S>): NamespacedState<S>;
  /** Every key that has a value in this state (void namespace), in no order. Keys may be changed while iterating only through their own state. */
  keys(descriptor: StateDescriptor): Iterable<K>;
  /** Opens a table that maps (namespace, key) to one value and is scanned and dropped by namespace: what window slices live in. */
  sliceTable<V>(name: string): SliceTable<K, V>;
}

/** State per key and namespace. */
export interface NamespacedState<S extends KeyedState> {
  /** The current key's state in `namespace`; the returned handle is reused, do not keep it across keys or namespaces. */
  in(namespace: string): S;
  /** Moves (for lists and accumulators: merges) the current key's state of `sources` into `target`; sources end empty. */
  mergeNamespaces(target: string, sources: readonly string[]): void;
}

/**
 * Values by (integer namespace, key): one open-addressed table per namespace, dropped as a whole.
 *
 * Hot path: `slice(ns)` once per batch or per change of namespace, then `getOrUndefined`/`set` per record.
 */
export interface SliceTable<K, V> {
  /** The table of one namespace, made when missing. */
  slice(namespace: number): Slice<K, V>;
  /** As `slice`, but `undefined` when there is none. */
  existing(namespace: number): Slice<K, V> | undefined;
  /** Namespaces that exist, ascending. */
  namespaces(): number[];
  drop(namespace: number): void;
}

/** One namespace of a {@link SliceTable}. */
export interface Slice<K, V> {
  readonly size: number;
  /** Position of `key`, inserted with an undefined value when missing. Valid until the slice is changed by another insert. */
  upsert(key: K, hash: number): number;
  /**
   * As `upsert` for the first `count` keys in their order, whose positions go to `positions`: the lookups overlap, so that for tables that outgrow the
   * processor's cache it is several times faster. The positions stay valid until a `delete`.
   */
  upsertAll?(keys: readonly K[], hashes: Int32Array, count: number, positions: Int32Array): void;
  /** Position of `key`, or -1. */
  find(key: K, hash: number): number;
  get(position: number): V | undefined;
  set(position: number, value: V): void;
  delete(key: K, hash: number): void;
  /**
   * From now on snapshots contain what `compose` makes of a stored value, for an operator that keeps a part of its values elsewhere. It must announce
   * each change of that part by `upsert` or `upsertAll`, at most one batch before. The composed value must be new, or one that is never changed.
   */
  composeValues?(compose: (position: number, value: V) => V): void;
  /** Scan: positions run from 0 to `size` - 1. */
  keyAt(position: number): K;
  hashAt(position: number): number;
}
