import { KafkaSink } from "@millrace/connector-kafka";
import { FileSource, ParameterTool, StreamExecutionEnvironment, StringSchema, WatermarkStrategy } from "millrace";
import { entriesOf, totalsOf } from "./stages.js";

/* Files that come one by one → running totals → a topic, exactly once. */
const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const env = StreamExecutionEnvironment.getExecutionEnvironment();

const lines = env.fromSource(FileSource.lines(parameters.required("input"), { splitSizeBytes: 8000 }).monitorContinuously("500 ms"), WatermarkStrategy.noWatermarks(), "Files");
lines.uid("input");
totalsOf(entriesOf(lines)).sinkTo(KafkaSink.of<string>({
  bootstrapServers: parameters.required("bootstrap-servers"), topic: parameters.required("output"), value: StringSchema, key: (total) => total.split(" ")[0]!, deliveryGuarantee: "exactly-once",
  transactionalIdPrefix: "chaos",
})).uid("output");
await env.execute("chaos: files-to-kafka");
