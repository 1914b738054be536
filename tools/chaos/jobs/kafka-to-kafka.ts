import { KafkaSink, KafkaSource } from "@millrace/connector-kafka";
import { ParameterTool, StreamExecutionEnvironment, StringSchema, WatermarkStrategy } from "millrace";
import { entriesOf, totalsOf } from "./stages.js";

/* A topic → running totals → another topic, exactly once and in order per key. */
const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const bootstrapServers = parameters.required("bootstrap-servers");
const env = StreamExecutionEnvironment.getExecutionEnvironment();

const lines = env.fromSource(KafkaSource.of({ bootstrapServers, topics: parameters.required("input"), value: StringSchema, groupId: "chaos", partitionDiscoveryInterval: "5 s" }), WatermarkStrategy.noWatermarks(), "Kafka");
lines.uid("input");
totalsOf(entriesOf(lines)).sinkTo(KafkaSink.of<string>({
  bootstrapServers, topic: parameters.required("output"), value: StringSchema, key: (total) => total.split(" ")[0]!, deliveryGuarantee: "exactly-once", transactionalIdPrefix: "chaos",
})).uid("output");
await env.execute("chaos: kafka-to-kafka");
