import { keyHash, RecordBatch, type AggregateFunction, type OneInputOperator, type OperatorContext, type Output, type ReduceFn, type WindowAssigner, type WindowFn } from "@millrace/core";
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

/** Makes an operator take its records in batches of up to `size`; what came is taken before a watermark and before a snapshot. */
function inBatches(operator: OneInputOperator, key: (event: Event) => string, size: number): OneInputOperator {
  const { processWatermark, prepareSnapshot } = operator;
  let values: Event[] = [];
  let times: number[] = [];
  let out: Output<unknown> | undefined;
  const flush = (): void => {
    if (values.length === 0) return;
    const batch = new RecordBatch<unknown>(values, Float64Array.from(times));
    batch.keyHashes = Int32Array.from(values, (event) => keyHash(key(event)));
    values = [];
    times = [];
    operator.processBatch!(batch, 0, batch.count, out!);
  };
  return Object.assign(operator, {
    processRecord(value: Event, timestampMs: number, output: Output<unknown>): void {
      out = output;
      values.push(value);
      if (times.push(timestampMs) >= size) flush();
    },
    processWatermark(timestampMs: number, output: Output<unknown>): boolean | void {
      flush();
      return processWatermark!.call(operator, timestampMs, output);
    },
    prepareSnapshot(...args: Parameters<NonNullable<typeof prepareSnapshot>>): ReturnType<NonNullable<typeof prepareSnapshot>> {
      flush();
      return prepareSnapshot?.apply(operator, args);
    },
  });
}

/** Opens a window operator of these sources, by default with the engine it would choose itself; with `batchSize` it gets its records in batches. */
export function openWindow<OUT = any>(spec: WindowSpec, engine?: WindowEngine, options: HarnessOptions = {}, batchSize: number = 0): Promise<OneInputHarness<Event, OUT>> {
  const key = (event: Event): string => event.key;
  if (!spec.keyed) return OneInputHarness.open<Event, OUT>({ ...spec }, options);
  const factory = (context: OperatorContext): OneInputOperator => {
    const operator = createWindowOperator(spec, context, { runtimeMode: options.runtimeMode ?? "STREAMING", keySelectors: [key] }, engine);
    return batchSize > 0 && operator.processBatch !== undefined ? inBatches(operator, key, batchSize) : operator;
  };
  return KeyedOneInputHarness.open<Event, OUT>(factory, { ...options, key });
}
