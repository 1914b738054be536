import { KafkaSource } from "@millrace/connector-kafka";
import { BucketAssigners, FileSink, ParameterTool, RollingPolicies, StreamExecutionEnvironment, StringSchema, type DataStream } from "millrace";
import { byTime, entriesOf, totalsOf, windowsOf } from "./stages.js";

/* A topic → running totals and event-time windows → files, exactly once. Each partition has its own watermark, so nothing is late. */
const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const env = StreamExecutionEnvironment.getExecutionEnvironment();
const toFiles = (lines: DataStream<string>, name: string): void =>
  void lines.sinkTo(FileSink.lines<string>(parameters.required(name), { bucketAssigner: BucketAssigners.basePath(), rollingPolicy: RollingPolicies.onCheckpoint() })).uid(`${name} files`);

const lines = env.fromSource(KafkaSource.of({ bootstrapServers: parameters.required("bootstrap-servers"), topics: parameters.required("input"), value: StringSchema }), byTime, "Kafka");
lines.uid("input");
const entries = entriesOf(lines);
const { windows, late } = windowsOf(entries);
toFiles(totalsOf(entries), "totals");
toFiles(windows, "windows");
toFiles(late, "late");
await env.execute("chaos: kafka-to-files");
