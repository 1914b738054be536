import { ValueStateDescriptor, WatermarkStrategy, type Collector, type KeyedProcessContext, type KeyedProcessFunction, type RuntimeContext, type ValueState } from "millrace";
import { fold, HASH_START } from "../data/checksum.js";
import { hotKey, HOT_EMIT, type Touch } from "../data/hot-keys.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { benchEnvironment } from "./bench-environment.js";
import { parameters, records } from "./job-parameters.js";
import { StridedSource } from "./strided-source.js";

const keys = parameters.getInt("keys", 1_000_000);
/** The clock is read once in so many records. */
const CLOCK_EVERY = 64;

/** The slot's longest time between two looks at the clock, once all keys are there. */
let longestPauseMs = 0;

class Counts implements KeyedProcessFunction<number, Touch, Touch> {
  private count!: ValueState<number>;
  private seen = 0;
  private lastMs = 0;

  open(context: RuntimeContext): void {
    this.count = context.getState(new ValueStateDescriptor<number>("count"));
  }
  processElement(touch: Touch, _context: KeyedProcessContext<number>, out: Collector<Touch>): void {
    if (++this.seen % CLOCK_EVERY === 0) this.look(touch.index);
    const count = (this.count.value() ?? 0) + 1;
    this.count.update(count);
    if (count % HOT_EMIT === 0) out.collect({ index: count, key: touch.key });
  }
  private look(index: number): void {
    const nowMs = performance.now();
    // Growing tables are not what is measured, nor is the code's first second.
    if (this.lastMs > 0 && index > 2 * keys) longestPauseMs = Math.max(longestPauseMs, nowMs - this.lastMs);
    this.lastMs = nowMs;
  }
}

const env = benchEnvironment();
env.fromSource(gated(new StridedSource<Touch>((index) => ({ index, key: hotKey(index, keys) }), () => 0, records)), WatermarkStrategy.noWatermarks<Touch>(), "touches")
  .keyBy((touch) => touch.key)
  .process(Counts)
  .sinkTo(new ChecksumSink<Touch>((r) => fold(fold(HASH_START, r.key), r.index), () => ({ longestPauseMs })));
await env.execute("checkpoint cost");
