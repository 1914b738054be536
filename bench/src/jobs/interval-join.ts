import type { Collector, ProcessJoinContext, ProcessJoinFunction } from "millrace";
import { fold, foldLong, HASH_START } from "../data/checksum.js";
import type { Reading } from "../data/records.js";
import { ChecksumSink } from "./checksum-sink.js";
import { benchEnvironment } from "./bench-environment.js";
import { parameters, records } from "./job-parameters.js";
import { readings } from "./readings.js";

interface Pair {
  readonly key: number;
  readonly left: number;
  readonly right: number;
  readonly time: number;
  readonly value: number;
}

class Pairs implements ProcessJoinFunction<Reading, Reading, Pair> {
  processElement(left: Reading, right: Reading, context: ProcessJoinContext, out: Collector<Pair>): void {
    out.collect({ key: left.key, left: left.index, right: right.index, time: context.timestamp!, value: left.value + right.value });
  }
}

const env = benchEnvironment();
const half = Math.floor(records / 2);
const keys = parameters.getInt("keys", 10_000);
const left = readings(env, half, keys, 10, 0).keyBy((record) => record.key);
const right = readings(env, half, keys, 10, 8).keyBy((record) => record.key);
left.intervalJoin(right)
  .between(-500, 500)
  .process(Pairs)
  .sinkTo(new ChecksumSink<Pair>((r) => fold(foldLong(fold(fold(fold(HASH_START, r.key), r.left), r.right), r.time), r.value)));
await env.execute("interval join");
