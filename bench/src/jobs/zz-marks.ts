import { DataGeneratorSource, WatermarkStrategy, type WatermarkGenerator } from "millrace";
import { fold, HASH_START } from "../data/checksum.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { benchEnvironment } from "./bench-environment.js";
import { records } from "./job-parameters.js";
interface R { readonly index: number; readonly key: number; readonly time: number }
const env = benchEnvironment();
class PerEvent implements WatermarkGenerator<R> {
  onEvent(_: R, t: number, out: { emitWatermark(t: number): void }): void { out.emitWatermark(t - 1); }
  onPeriodicEmit(): void {}
}
env.fromSource(gated(new DataGeneratorSource<R>((index) => ({ index, key: index & 1023, time: index }), records)), WatermarkStrategy.forGenerator<R>(() => new PerEvent()).withTimestampAssigner((r) => r.time), "events")
  .rebalance()
  .map((r) => ({ index: r.index, key: r.key + 1, time: r.time }))
  .keyBy((r) => r.key)
  .reduce((a, b) => ({ index: b.index, key: b.key, time: a.time }))
  .sinkTo(new ChecksumSink<R>((r) => fold(fold(HASH_START, r.index), r.key)));
await env.execute("marks");
