import { DataGeneratorSource, WatermarkStrategy } from "millrace";
import { block } from "../data/blocks.js";
import { fold, HASH_START } from "../data/checksum.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { benchEnvironment } from "./bench-environment.js";
import { records } from "./job-parameters.js";

/* From the only subtask of the source to the second one of the sink: all blocks cross. */
const env = benchEnvironment();
env.fromSource(gated(new DataGeneratorSource<Uint8Array>(block, records)), WatermarkStrategy.noWatermarks<Uint8Array>(), "blocks")
  .setParallelism(1)
  .partitionCustom((_key: number, partitions) => partitions - 1, () => 0)
  .sinkTo(new ChecksumSink<Uint8Array>((bytes) => fold(fold(HASH_START, bytes[0]!), bytes[bytes.length - 1]!)));
await env.execute("exchange of bytes");
