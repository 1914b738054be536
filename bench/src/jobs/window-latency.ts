import { TumblingEventTimeWindows, WatermarkStrategy } from "millrace";
import { reading, type Reading } from "../data/records.js";
import { LatencyHistogram } from "../data/latency-histogram.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { benchEnvironment } from "./bench-environment.js";
import { parameters, records } from "./job-parameters.js";
import { PacedSource } from "./paced-source.js";
import { countAndSum, type CountAndSum, type MutableCountAndSum } from "./readings.js";

interface Result {
  readonly windowEnd: number;
  readonly count: number;
}

const keys = parameters.getInt("keys", 1000);
const rate = parameters.getInt("rate", 100_000);
const histogram = new LatencyHistogram();
const env = benchEnvironment();
/** The slots' clocks must agree on it; by then the prelude has ended. */
const startMs = await env.once("start", () => Date.now() + parameters.getInt("start-delay-ms", 4000));
const countFromMs = startMs + 1000 * parameters.getInt("discard", 5);

env.fromSource(gated(new PacedSource((index, time): Reading => ({ ...reading(index, keys, 1, 0), time }), records, rate, startMs)),
  WatermarkStrategy.forMonotonousTimestamps<Reading>(), "paced")
  .keyBy((record) => record.key)
  .window(TumblingEventTimeWindows.of(10))
  .aggregate<MutableCountAndSum, CountAndSum, Result>(countAndSum, (_key, window, results, out) => {
    for (const { count } of results) out.collect({ windowEnd: window.endMs, count });
  })
  .sinkTo(new ChecksumSink<Result>(
    (result) => {
      const nowMs = performance.timeOrigin + performance.now();
      if (nowMs >= countFromMs) histogram.add(nowMs - result.windowEnd);
      // Windows depend on the clock here; the number of records in them does not.
      return result.count;
    },
    () => ({ latency: histogram.toJSON() }),
  ));
await env.execute("latency of a 10 ms window");
