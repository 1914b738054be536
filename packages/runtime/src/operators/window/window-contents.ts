import {
  AggregatingStateDescriptor, ListStateDescriptor, ReducingStateDescriptor,
  type AggregateFunction, type AppendingState, type Evictor, type EvictorContext, type KeyedStateBackend, type NamespacedState, type OperatorContext,
  type Output, type ListState, type ReduceFn, type TimestampedValue, type Window,
} from "@millrace/core";
import type { CurrentWatermark, WindowEmitter } from "./window-emitter.js";

/** What a window of the general engine holds for the current key, by state namespace. */
export interface WindowContents {
  open(context: OperatorContext, currentWatermark: CurrentWatermark): void;
  add(namespace: string, value: unknown, timestampMs: number): void;
  clear(namespace: string): void;
  merge(target: string, sources: readonly string[]): void;
  /** Emits the window's result, unless the window is empty. */
  emit(namespace: string, key: unknown, window: Window, windowId: string, emitter: WindowEmitter, out: Output<unknown>): void;
}

/** Every record is kept; the function sees all of them. */
export class ListContents implements WindowContents {
  private state!: NamespacedState<ListState<unknown>>;

  open(context: OperatorContext): void {
    this.state = context.keyedState.namespacedState(new ListStateDescriptor<unknown>("window-contents"));
  }
  add(namespace: string, value: unknown): void {
    this.state.in(namespace).add(value);
  }
  clear(namespace: string): void {
    this.state.in(namespace).clear();
  }
  merge(target: string, sources: readonly string[]): void {
    this.state.mergeNamespaces(target, sources);
  }
  emit(namespace: string, key: unknown, window: Window, windowId: string, emitter: WindowEmitter, out: Output<unknown>): void {
    const elements = [...this.state.in(namespace).get()];
    if (elements.length > 0) emitter.emit(key, window, windowId, elements, out);
  }
}

/** Records are reduced or aggregated as they come; the function sees one value. */
export class AggregatedContents implements WindowContents {
  private state!: NamespacedState<AppendingState<unknown, unknown>>;
  private readonly openState: (backend: KeyedStateBackend) => NamespacedState<AppendingState<unknown, unknown>>;

  private constructor(openState: (backend: KeyedStateBackend) => NamespacedState<AppendingState<unknown, unknown>>) {
    this.openState = openState;
  }

  static reducing(reduce: ReduceFn<unknown>): AggregatedContents {
    return new AggregatedContents((backend) => backend.namespacedState(new ReducingStateDescriptor("window-contents", reduce)));
  }
  static aggregating(aggregate: AggregateFunction<unknown, unknown, unknown>): AggregatedContents {
    return new AggregatedContents((backend) => backend.namespacedState(new AggregatingStateDescriptor("window-contents", aggregate)));
  }

  open(context: OperatorContext): void {
    this.state = this.openState(context.keyedState);
  }
  add(namespace: string, value: unknown): void {
    this.state.in(namespace).add(value);
  }
  clear(namespace: string): void {
    this.state.in(namespace).clear();
  }
  merge(target: string, sources: readonly string[]): void {
    this.state.mergeNamespaces(target, sources);
  }
  emit(namespace: string, key: unknown, window: Window, windowId: string, emitter: WindowEmitter, out: Output<unknown>): void {
    const value = this.state.in(namespace).get();
    if (value !== undefined) emitter.emitOne(key, window, windowId, value, out);
  }
}

/** Every record is kept with its time; an evictor thins them out around the function, and a reduce or aggregate runs only at firing. */
export class EvictingContents implements WindowContents {
  private state!: NamespacedState<ListState<TimestampedValue<unknown>>>;
  private evictorContext!: EvictorContext;
  private readonly evictor: Evictor<unknown, Window>;
  /** Folds what is left into one value; `undefined` where the function sees the records. */
  private readonly fold: ((values: readonly unknown[]) => unknown) | undefined;

  constructor(evictor: Evictor<unknown, Window>, fold: ((values: readonly unknown[]) => unknown) | undefined) {
    this.evictor = evictor;
    this.fold = fold;
  }

  open(context: OperatorContext, currentWatermark: CurrentWatermark): void {
    this.state = context.keyedState.namespacedState(new ListStateDescriptor<TimestampedValue<unknown>>("window-contents"));
    this.evictorContext = {
      get currentProcessingTime() {
        return context.processingTime.nowMs();
      },
      get currentWatermark() {
        return currentWatermark();
      },
    };
  }
  add(namespace: string, value: unknown, timestampMs: number): void {
    this.state.in(namespace).add({ value, timestampMs });
  }
  clear(namespace: string): void {
    this.state.in(namespace).clear();
  }
  merge(target: string, sources: readonly string[]): void {
    this.state.mergeNamespaces(target, sources);
  }
  emit(namespace: string, key: unknown, window: Window, windowId: string, emitter: WindowEmitter, out: Output<unknown>): void {
    const all = [...this.state.in(namespace).get()];
    if (all.length === 0) return;
    const before = this.evictor.evictBefore(all, window, this.evictorContext);
    const values = before.map((element) => element.value);
    if (this.fold === undefined) emitter.emit(key, window, windowId, values, out);
    else {
      const folded = this.fold(values);
      if (folded !== undefined) emitter.emitOne(key, window, windowId, folded, out);
    }
    const left = this.evictor.evictAfter(before, window, this.evictorContext);
    if (left.length !== all.length) this.state.in(namespace).update(left);
  }
}

/** The contents that fit a window's functions. */
export function createWindowContents(
  evictor: Evictor<any, any> | undefined,
  reduce: ReduceFn<any> | undefined,
  aggregate: AggregateFunction<any, any, any> | undefined,
): WindowContents {
  if (evictor !== undefined) return new EvictingContents(evictor, foldOf(reduce, aggregate));
  if (reduce !== undefined) return AggregatedContents.reducing(reduce);
  if (aggregate !== undefined) return AggregatedContents.aggregating(aggregate);
  return new ListContents();
}

function foldOf(
  reduce: ReduceFn<unknown> | undefined, aggregate: AggregateFunction<unknown, unknown, unknown> | undefined,
): ((values: readonly unknown[]) => unknown) | undefined {
  if (reduce !== undefined) return (values) => (values.length === 0 ? undefined : values.reduce((a, b) => reduce(a, b)));
  if (aggregate !== undefined) {
    return (values) => aggregate.getResult(values.reduce<unknown>((accumulator, value) => aggregate.add(value, accumulator), aggregate.createAccumulator()));
  }
  return undefined;
}
