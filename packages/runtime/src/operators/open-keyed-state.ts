import type {
  AggregatingStateDescriptor, KeyedState, KeyedStateStore, ListStateDescriptor, MapStateDescriptor, ReducingStateDescriptor, StateDescriptor,
  ValueStateDescriptor,
} from "@millrace/core";

/** Opens the state of a descriptor whose kind is only known at run time. */
export function openKeyedState<S extends KeyedState>(store: KeyedStateStore, descriptor: StateDescriptor<S>): S {
  const open = (): KeyedState => {
    switch (descriptor.kind) {
      case "value":
        return store.getState(descriptor as unknown as ValueStateDescriptor<unknown>);
      case "list":
        return store.getListState(descriptor as unknown as ListStateDescriptor<unknown>);
      case "map":
        return store.getMapState(descriptor as unknown as MapStateDescriptor<unknown, unknown>);
      case "reducing":
        return store.getReducingState(descriptor as unknown as ReducingStateDescriptor<unknown>);
      case "aggregating":
        return store.getAggregatingState(descriptor as unknown as AggregatingStateDescriptor<unknown, unknown, unknown>);
    }
  };
  return open() as S;
}
