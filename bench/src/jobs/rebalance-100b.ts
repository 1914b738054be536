import { DataGeneratorSource, WatermarkStrategy } from "millrace";
import { fold, foldText, HASH_START } from "../data/checksum.js";
import { payload, type Payload } from "../data/records.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { benchEnvironment } from "./bench-environment.js";
import { records } from "./job-parameters.js";

const env = benchEnvironment();
env.fromSource(gated(new DataGeneratorSource<Payload>(payload, records)), WatermarkStrategy.noWatermarks<Payload>(), "payloads")
  .rebalance()
  .map(({ index, a, text }) => ({ index, a: (a + 1) | 0, text }))
  .sinkTo(new ChecksumSink<Payload>((r) => foldText(fold(fold(HASH_START, r.index), r.a), r.text)));
await env.execute("rebalance of 100-byte records");
