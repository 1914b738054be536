import {
  MillraceError,
  type AggregatingState, type AggregatingStateDescriptor, type KeyedState, type KeyedStateBackend, type KeyedStateStore, type ListState,
  type ListStateDescriptor, type MapState, type MapStateDescriptor, type NamespacedState, type ReducingState, type ReducingStateDescriptor,
  type StateDescriptor, type ValueState, type ValueStateDescriptor,
} from "@millrace/core";
import { prefixedDescriptor } from "./prefixed-descriptor.js";

/** Opens states by descriptor in the namespace it points to: the per-window state of triggers and window functions. */
export class WindowStateStore implements KeyedStateStore {
  /** The window whose state is meant. */
  namespace = "";
  readonly #backend: KeyedStateBackend;
  readonly #prefix: string;
  /** By descriptor, since opening builds a new one each time. */
  readonly #opened: Map<StateDescriptor, NamespacedState<KeyedState>> = new Map();

  constructor(backend: KeyedStateBackend, prefix: string) {
    this.#backend = backend;
    this.#prefix = prefix;
  }

  open<S extends KeyedState>(descriptor: StateDescriptor<S>): S {
    return this.namespaced(descriptor).in(this.namespace);
  }

  namespaced<S extends KeyedState>(descriptor: StateDescriptor<S>): NamespacedState<S> {
    let state = this.#opened.get(descriptor) as NamespacedState<S> | undefined;
    if (state === undefined) {
      state = this.#backend.namespacedState<S>(prefixedDescriptor(this.#prefix, descriptor));
      this.#opened.set(descriptor, state as NamespacedState<KeyedState>);
    }
    return state;
  }

  getState<T>(descriptor: ValueStateDescriptor<T>): ValueState<T> {
    return this.open<ValueState<T>>(descriptor);
  }
  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T> {
    return this.open<ListState<T>>(descriptor);
  }
  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V> {
    return this.open<MapState<K, V>>(descriptor);
  }
  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T> {
    return this.open<ReducingState<T>>(descriptor);
  }
  getAggregatingState<IN, ACC, OUT>(descriptor: AggregatingStateDescriptor<IN, ACC, OUT>): AggregatingState<IN, OUT> {
    return this.open<AggregatingState<IN, OUT>>(descriptor);
  }
}

const refuse = (): never => {
  throw new MillraceError({
    code: "WINDOW_STATE_MERGING",
    message: "a window function over merging windows (sessions) used per-window state",
    hint: "use context.globalState, which belongs to the key",
  });
};

/** What `windowState` is over merging windows, whose state could not be merged. */
export const refusedWindowState: KeyedStateStore = {
  getState: refuse, getListState: refuse, getMapState: refuse, getReducingState: refuse, getAggregatingState: refuse,
};
