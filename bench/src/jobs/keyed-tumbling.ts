import { TumblingEventTimeWindows, WatermarkStrategy, type AggregateFunction } from "millrace";
import { foldLong, foldText, HASH_START } from "../data/checksum.js";
import { purchase, PURCHASE_DISORDER_MS, type Purchase } from "../data/records.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { benchEnvironment } from "./bench-environment.js";
import { parameters, records } from "./job-parameters.js";
import { StridedSource } from "./strided-source.js";

interface Total {
  readonly key: string;
  readonly windowEnd: number;
  readonly sum: number;
}

const sumOfAmounts: AggregateFunction<Purchase, number, number> = {
  createAccumulator: () => 0,
  add: (record, sum) => sum + record.amount,
  getResult: (sum) => sum,
  merge: (a, b) => a + b,
};

const keys = parameters.getInt("keys", 100_000);
const env = benchEnvironment();
env.fromSource(
  gated(new StridedSource<Purchase>((index) => purchase(index, keys), (record) => record.time, records)),
  WatermarkStrategy.forBoundedOutOfOrderness<Purchase>(PURCHASE_DISORDER_MS), "purchases",
)
  .keyBy((record) => record.key)
  .window(TumblingEventTimeWindows.of("1 min"))
  .aggregate<number, number, Total>(sumOfAmounts, (key, window, sums, out) => {
    for (const sum of sums) out.collect({ key, windowEnd: window.endMs, sum });
  })
  .sinkTo(new ChecksumSink<Total>((r) => foldLong(foldLong(foldText(HASH_START, r.key), r.windowEnd), r.sum)));
await env.execute("keyed tumbling window");
