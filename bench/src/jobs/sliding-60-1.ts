import { SlidingEventTimeWindows, type AggregateFunction } from "millrace";
import { fold, foldLong, HASH_START } from "../data/checksum.js";
import type { Reading } from "../data/records.js";
import { ChecksumSink } from "./checksum-sink.js";
import { benchEnvironment } from "./bench-environment.js";
import { parameters, records } from "./job-parameters.js";
import { readings } from "./readings.js";

interface Total {
  readonly key: number;
  readonly windowEnd: number;
  readonly sum: number;
}

const sumOfValues: AggregateFunction<Reading, number, number> = {
  createAccumulator: () => 0,
  add: (record, sum) => sum + record.value,
  getResult: (sum) => sum,
  merge: (a, b) => a + b,
};

const env = benchEnvironment();
readings(env, records, parameters.getInt("keys", 1000), 10, 0)
  .keyBy((record) => record.key)
  .window(SlidingEventTimeWindows.of("60 s", "1 s"))
  .aggregate<number, number, Total>(sumOfValues, (key, window, sums, out) => {
    for (const sum of sums) out.collect({ key, windowEnd: window.endMs, sum });
  })
  .sinkTo(new ChecksumSink<Total>((r) => foldLong(foldLong(fold(HASH_START, r.key), r.windowEnd), r.sum)));
await env.execute("sliding window 60:1");
