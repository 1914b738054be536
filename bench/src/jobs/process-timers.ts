import { MapStateDescriptor, type Collector, type KeyedProcessContext, type KeyedProcessFunction, type MapState, type OnTimerContext, type RuntimeContext } from "millrace";
import { fold, foldLong, HASH_START } from "../data/checksum.js";
import type { Reading } from "../data/records.js";
import { ChecksumSink } from "./checksum-sink.js";
import { benchEnvironment } from "./bench-environment.js";
import { parameters, records } from "./job-parameters.js";
import { readings, type MutableCountAndSum } from "./readings.js";

const BUCKET_MS = 10_000;

interface Bucket {
  readonly key: number;
  readonly end: number;
  readonly count: number;
  readonly sum: number;
}

/** Count and sum per key and 10 s, by hand: map state from a bucket's end to its sums, a timer at each end. */
class Buckets implements KeyedProcessFunction<number, Reading, Bucket> {
  private buckets!: MapState<number, MutableCountAndSum>;

  open(context: RuntimeContext): void {
    this.buckets = context.getMapState(new MapStateDescriptor<number, MutableCountAndSum>("buckets"));
  }
  processElement(record: Reading, context: KeyedProcessContext<number>): void {
    const end = record.time - (record.time % BUCKET_MS) + BUCKET_MS;
    const bucket = this.buckets.get(end) ?? { count: 0, sum: 0 };
    bucket.count++;
    bucket.sum += record.value;
    this.buckets.put(end, bucket);
    context.timerService.registerEventTimeTimer(end);
  }
  onTimer(end: number, context: OnTimerContext<number>, out: Collector<Bucket>): void {
    const { count, sum } = this.buckets.get(end)!;
    this.buckets.remove(end);
    out.collect({ key: context.currentKey, end, count, sum });
  }
}

const env = benchEnvironment();
readings(env, records, parameters.getInt("keys", 100_000), 100, 0)
  .keyBy((record) => record.key)
  .process(Buckets)
  .sinkTo(new ChecksumSink<Bucket>((r) => foldLong(foldLong(foldLong(fold(HASH_START, r.key), r.end), r.count), r.sum)));
await env.execute("process function with timers");
