import { JdbcSink, postgresDialect } from "@millrace/connector-postgres";
import { DataGeneratorSource, WatermarkStrategy } from "millrace";
import { fold, HASH_START } from "../data/checksum.js";
import { row, type Row } from "../data/rows.js";
import { benchEnvironment } from "./bench-environment.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { parameters, records } from "./job-parameters.js";

const env = benchEnvironment();
const rows = env.fromSource(gated(new DataGeneratorSource(row, records)), WatermarkStrategy.noWatermarks<Row>(), "rows");
rows.sinkTo(JdbcSink.of<Row>({
  connection: { dialect: postgresDialect, url: parameters.required("url") }, table: parameters.required("table"),
  columns: { id: ({ id }) => id, sensor: ({ sensor }) => sensor, celsius: ({ celsius }) => celsius, at: ({ timestamp }: Row) => new Date(timestamp) },
}));
rows.sinkTo(new ChecksumSink<Row>(({ id }) => fold(HASH_START, id)));
await env.execute("rows into PostgreSQL");
