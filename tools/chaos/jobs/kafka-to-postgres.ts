import { KafkaSource } from "@millrace/connector-kafka";
import { JdbcSink, postgresDialect, type JdbcSinkOptions } from "@millrace/connector-postgres";
import { ParameterTool, StreamExecutionEnvironment, StringSchema, WatermarkStrategy } from "millrace";
import { parseTotal, type Total } from "../check/entries.js";
import { entriesOf, totalsOf } from "./stages.js";

/* A topic → running totals → a table that takes each of them, and one that holds the last of each key: both exactly once. */
const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const env = StreamExecutionEnvironment.getExecutionEnvironment();
const toTable = (name: string, options: Pick<JdbcSinkOptions<Total>, "keyColumns">): JdbcSink<Total> => JdbcSink.of<Total>({
  connection: { dialect: postgresDialect, url: parameters.required("database"), connectTimeoutMs: 3000 }, table: parameters.required(name), columns: ["key", "seq", "count", "sum"],
  deliveryGuarantee: "exactly-once", exactlyOnce: { transactionIdPrefix: `chaos-${name}`, lockTimeout: "15 s" }, execution: { batchSize: 100 }, ...options,
});

const lines = env.fromSource(KafkaSource.of({ bootstrapServers: parameters.required("bootstrap-servers"), topics: parameters.required("input"), value: StringSchema }), WatermarkStrategy.noWatermarks(), "Kafka");
lines.uid("input");
const totals = totalsOf(entriesOf(lines)).map(parseTotal).uid("rows");
totals.sinkTo(toTable("totals", {})).uid("totals table");
totals.sinkTo(toTable("latest", { keyColumns: ["key"] })).uid("latest table");
await env.execute("chaos: kafka-to-postgres");
