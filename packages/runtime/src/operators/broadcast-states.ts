import {
  didYouMean, MillraceError,
  type BroadcastState, type MapStateDescriptor, type OperatorContext, type ReadOnlyBroadcastState,
} from "@millrace/core";

class ReadOnlyView<K, V> implements ReadOnlyBroadcastState<K, V> {
  readonly #state: BroadcastState<K, V>;

  constructor(state: BroadcastState<K, V>) {
    this.#state = state;
  }
  get(key: K): V | undefined {
    return this.#state.get(key);
  }
  contains(key: K): boolean {
    return this.#state.contains(key);
  }
  entries(): Iterable<readonly [K, V]> {
    return this.#state.entries();
  }
}

/** The broadcast states of one operator, by the descriptors they were declared with in `stream.broadcast(…)`. */
export class BroadcastStates {
  readonly #states: ReadonlyMap<string, { readonly state: BroadcastState<any, any>; readonly readOnly: ReadOnlyBroadcastState<any, any> }>;
  readonly #operatorName: string;

  constructor(descriptors: readonly MapStateDescriptor<any, any>[], context: OperatorContext) {
    this.#operatorName = context.operatorName;
    this.#states = new Map(
      descriptors.map((descriptor) => {
        const state = context.operatorState.getBroadcastState(descriptor);
        return [descriptor.name, { state, readOnly: new ReadOnlyView(state) }];
      }),
    );
  }

  writable<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V> {
    return this.#find(descriptor).state;
  }

  readOnly<K, V>(descriptor: MapStateDescriptor<K, V>): ReadOnlyBroadcastState<K, V> {
    return this.#find(descriptor).readOnly;
  }

  #find(descriptor: MapStateDescriptor<any, any>) {
    const found = this.#states.get(descriptor.name);
    if (found !== undefined) return found;
    throw new MillraceError({
      code: "BROADCAST_STATE_UNKNOWN",
      message: `operator "${this.#operatorName}" has no broadcast state "${descriptor.name}"`,
      hint: didYouMean(descriptor.name, this.#states.keys()) || "give its descriptor to stream.broadcast(…)",
      location: { operator: this.#operatorName },
    });
  }
}
