import type { AggregateFunction, ReduceFn } from "../functions/functions.js";
import type { TypeInformation } from "../types/type-information.js";
import type { AggregatingState, KeyedState, ListState, MapState, ReducingState, ValueState } from "./state.js";
import type { StateTtlConfig } from "./ttl.js";

export type StateKind = "value" | "list" | "map" | "reducing" | "aggregating";

/** Names a state of an operator; the same name in the same operator is the same state. `S` is the state it opens. */
export interface StateDescriptor<S extends KeyedState = KeyedState> {
  readonly kind: StateKind;
  readonly name: string;
  readonly ttl?: StateTtlConfig | undefined;
  /** Only for the compiler. */
  readonly state?: S;
}

export interface DescriptorOptions {
  readonly ttl?: StateTtlConfig;
}

/** Names a {@link ValueState}. Without a type it is found out from the first value. Flink: ValueStateDescriptor. */
export class ValueStateDescriptor<T> implements StateDescriptor<ValueState<T>> {
  readonly kind = "value";
  declare readonly state?: ValueState<T>;
  readonly name: string;
  readonly type: TypeInformation<T> | undefined;
  readonly ttl: StateTtlConfig | undefined;
  constructor(name: string, type?: TypeInformation<T>, options: DescriptorOptions = {}) {
    this.name = name;
    this.type = type;
    this.ttl = options.ttl;
  }
}

/** Names a {@link ListState}, or list state of an operator. Flink: ListStateDescriptor. */
export class ListStateDescriptor<T> implements StateDescriptor<ListState<T>> {
  readonly kind = "list";
  declare readonly state?: ListState<T>;
  readonly name: string;
  readonly elementType: TypeInformation<T> | undefined;
  readonly ttl: StateTtlConfig | undefined;
  constructor(name: string, elementType?: TypeInformation<T>, options: DescriptorOptions = {}) {
    this.name = name;
    this.elementType = elementType;
    this.ttl = options.ttl;
  }
}

/** Names a {@link MapState}, or broadcast state. Flink: MapStateDescriptor. */
export class MapStateDescriptor<K, V> implements StateDescriptor<MapState<K, V>> {
  readonly kind = "map";
  declare readonly state?: MapState<K, V>;
  readonly name: string;
  readonly keyType: TypeInformation<K> | undefined;
  readonly valueType: TypeInformation<V> | undefined;
  readonly ttl: StateTtlConfig | undefined;
  constructor(name: string, keyType?: TypeInformation<K>, valueType?: TypeInformation<V>, options: DescriptorOptions = {}) {
    this.name = name;
    this.keyType = keyType;
    this.valueType = valueType;
    this.ttl = options.ttl;
  }
}

/** Names a {@link ReducingState} and how its values combine. Flink: ReducingStateDescriptor. */
export class ReducingStateDescriptor<T> implements StateDescriptor<ReducingState<T>> {
  readonly kind = "reducing";
  declare readonly state?: ReducingState<T>;
  readonly name: string;
  readonly reduce: ReduceFn<T>;
  readonly type: TypeInformation<T> | undefined;
  readonly ttl: StateTtlConfig | undefined;
  constructor(name: string, reduce: ReduceFn<T>, type?: TypeInformation<T>, options: DescriptorOptions = {}) {
    this.name = name;
    this.reduce = reduce;
    this.type = type;
    this.ttl = options.ttl;
  }
}

/** Names an {@link AggregatingState} and its aggregate function. Flink: AggregatingStateDescriptor. */
export class AggregatingStateDescriptor<IN, ACC, OUT> implements StateDescriptor<AggregatingState<IN, OUT>> {
  readonly kind = "aggregating";
  declare readonly state?: AggregatingState<IN, OUT>;
  readonly name: string;
  readonly aggregate: AggregateFunction<IN, ACC, OUT>;
  readonly accumulatorType: TypeInformation<ACC> | undefined;
  readonly ttl: StateTtlConfig | undefined;
  constructor(name: string, aggregate: AggregateFunction<IN, ACC, OUT>, accumulatorType?: TypeInformation<ACC>, options: DescriptorOptions = {}) {
    this.name = name;
    this.aggregate = aggregate;
    this.accumulatorType = accumulatorType;
    this.ttl = options.ttl;
  }
}
