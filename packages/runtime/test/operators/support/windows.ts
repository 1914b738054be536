import type { AggregateFunction, OperatorContext, ReduceFn, WindowAssigner, WindowFn } from "@millrace/core";
import type { WindowSpec } from "@millrace/graph";
import { KeyedOneInputHarness, OneInputHarness, type HarnessOptions } from "@millrace/testkit";
import { createWindowOperator, type WindowEngine } from "../../../src/operators/window/create-window-operator.js";

export interface Event {
  readonly key: string;
  readonly value: number;
}
export interface Sum {
  readonly sum: number;
  readonly count: number;
}

/** Changes its accumulator in place, as an aggregate may. */
export const sumInPlace: AggregateFunction<Event, { sum: number; count: number }, Sum> = {
  createAccumulator: () => ({ sum: 0, count: 0 }),
  add: ({ value }, accumulator) => {
    accumulator.sum += value;
    accumulator.count++;
    return accumulator;
  },
  getResult: ({ sum, count }) => ({ sum, count }),
  merge: (a, b) => {
    a.sum += b.sum;
    a.count += b.count;
    return a;
  },
};
export const sumReduce: ReduceFn<Event> = (a, b) => ({ key: a.key, value: a.value + b.value });

const values: WindowFn<Event, number[], string, any> = (_key, _window, elements, out) => {
  out.collect([...elements].map((element) => element.value));
};

type Assigner = WindowAssigner<any, any>;

export function aggregateWindow(assigner: Assigner): WindowSpec {
  return { type: "window", keyed: true, assigner, allowedLatenessMs: 0, aggregate: sumInPlace };
}
export function reduceWindow(assigner: Assigner): WindowSpec {
  return { type: "window", keyed: true, assigner, allowedLatenessMs: 0, reduce: sumReduce };
}
/** Emits the values of the window's records, in order. */
export function collectWindow(assigner: Assigner): WindowSpec {
  return { type: "window", keyed: true, assigner, allowedLatenessMs: 0, fn: { kind: "plain", fn: values } };
}

/** Opens a window operator of these sources, by default with the engine it would choose itself. */
export function openWindow<OUT = any>(spec: WindowSpec, engine?: WindowEngine, options: HarnessOptions = {}): Promise<OneInputHarness<Event, OUT>> {
  const key = (event: Event): string => event.key;
  if (!spec.keyed) return OneInputHarness.open<Event, OUT>({ ...spec }, options);
  const factory = (context: OperatorContext) => createWindowOperator(spec, context, { runtimeMode: options.runtimeMode ?? "STREAMING", keySelectors: [key] }, engine);
  return KeyedOneInputHarness.open<Event, OUT>(factory, { ...options, key });
}
