import { WatermarkStrategy, type AggregateFunction, type DataStream, type StreamExecutionEnvironment } from "millrace";
import { reading, READING_DISORDER_MS, type Reading } from "../data/records.js";
import { gated } from "./gate.js";
import { StridedSource } from "./strided-source.js";

/** The first `count` readings of a generator, with event time and its disorder. */
export function readings(env: StreamExecutionEnvironment, count: number, keys: number, perMs: number, salt: number): DataStream<Reading> {
  return env.fromSource(
    gated(new StridedSource<Reading>((index) => reading(index, keys, perMs, salt), (record) => record.time, count)),
    WatermarkStrategy.forBoundedOutOfOrderness<Reading>(READING_DISORDER_MS), "readings",
  );
}

export interface CountAndSum {
  readonly count: number;
  readonly sum: number;
}
export interface MutableCountAndSum {
  count: number;
  sum: number;
}

/** Changes its accumulator in place, as the peer does. */
export const countAndSum: AggregateFunction<Reading, MutableCountAndSum, CountAndSum> = {
  createAccumulator: () => ({ count: 0, sum: 0 }),
  add(record, accumulator) {
    accumulator.count++;
    accumulator.sum += record.value;
    return accumulator;
  },
  getResult: (accumulator) => accumulator,
  merge(a, b) {
    a.count += b.count;
    a.sum += b.sum;
    return a;
  },
};
