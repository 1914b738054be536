import { KafkaSource, OffsetsInitializer } from "@millrace/connector-kafka";
import { StringSchema, WatermarkStrategy } from "millrace";
import { fold, HASH_START } from "../data/checksum.js";
import { benchEnvironment } from "./bench-environment.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { parameters } from "./job-parameters.js";

const source = KafkaSource.of({
  bootstrapServers: parameters.required("bootstrap"), topics: parameters.required("topic"), stoppingOffsets: OffsetsInitializer.latest(), value: StringSchema,
});
const env = benchEnvironment();
env.fromSource(gated(source), WatermarkStrategy.noWatermarks<string>(), "records")
  .sinkTo(new ChecksumSink<string>((text) => fold(fold(HASH_START, text.length), text.charCodeAt(text.length - 1))));
await env.execute("records of a topic");
