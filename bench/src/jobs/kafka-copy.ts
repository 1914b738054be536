import { KafkaSink, KafkaSource, OffsetsInitializer, type DeliveryGuarantee } from "@millrace/connector-kafka";
import { StringSchema, WatermarkStrategy } from "millrace";
import { fold, HASH_START } from "../data/checksum.js";
import { benchEnvironment } from "./bench-environment.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { parameters } from "./job-parameters.js";

const bootstrapServers = parameters.required("bootstrap");
const deliveryGuarantee = parameters.required("guarantee") as DeliveryGuarantee;
const topic = parameters.required("output");
const env = benchEnvironment();
const records = env.fromSource(
  gated(KafkaSource.of({ bootstrapServers, topics: parameters.required("topic"), stoppingOffsets: OffsetsInitializer.latest(), value: StringSchema })), WatermarkStrategy.noWatermarks<string>(), "records",
);
records.sinkTo(KafkaSink.of({ bootstrapServers, topic, value: StringSchema, deliveryGuarantee, transactionalIdPrefix: topic }));
records.sinkTo(new ChecksumSink<string>((text) => fold(fold(HASH_START, text.length), text.charCodeAt(text.length - 1))));
await env.execute("copy of a topic");
