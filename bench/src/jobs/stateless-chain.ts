import { DataGeneratorSource, WatermarkStrategy, type Collector } from "millrace";
import { fold, HASH_START } from "../data/checksum.js";
import { triple, type Triple } from "../data/records.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { benchEnvironment } from "./bench-environment.js";
import { records } from "./job-parameters.js";

const env = benchEnvironment();
env.fromSource(gated(new DataGeneratorSource<Triple>(triple, records)), WatermarkStrategy.noWatermarks<Triple>(), "triples")
  .map(({ index, a, b }) => ({ index, a: (a + b) | 0, b }))
  .filter((t) => (t.a & 7) !== 0)
  .map(({ index, a, b }) => ({ index, a: (Math.imul(a, 31) + (b >>> 16)) | 0, b }))
  .flatMap((t: Triple, out: Collector<Triple>) => {
    out.collect(t);
    if ((t.b & 3) === 0) out.collect({ index: t.index, a: t.a ^ 0x5bd1e995, b: t.b });
  })
  .map(({ index, a }) => ({ index, value: a ^ (a >>> 15) }))
  .sinkTo(new ChecksumSink<{ index: number; value: number }>((r) => fold(fold(HASH_START, r.index), r.value)));
await env.execute("stateless chain");
