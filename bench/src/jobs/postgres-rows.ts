import { JdbcSink, postgresDialect } from "@millrace/connector-postgres";
import { DataGeneratorSource, WatermarkStrategy } from "millrace";
import { fold, HASH_START } from "../data/checksum.js";
import { row, type Row } from "../data/rows.js";
import { benchEnvironment } from "./bench-environment.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { parameters, records } from "./job-parameters.js";

const env = benchEnvironment();
/** How many keys there are to be upserted; 0: rows are inserted, without a key. */
const keys = parameters.getInt("upsert-keys", 0);
const rows = env.fromSource(gated(new DataGeneratorSource(row, records)), WatermarkStrategy.noWatermarks<Row>(), "rows");
rows.sinkTo(JdbcSink.of<Row>({
  connection: { dialect: postgresDialect, url: parameters.required("url") }, table: parameters.required("table"),
  ...(keys === 0 ? {} : { keyColumns: ["id"] }),
  columns: { id: ({ id }) => (keys === 0 ? id : id % keys), sensor: ({ sensor }) => sensor, celsius: ({ celsius }) => celsius, at: ({ timestamp }: Row) => new Date(timestamp) },
}));
rows.sinkTo(new ChecksumSink<Row>(({ id }) => fold(HASH_START, id)));
await env.execute("rows into PostgreSQL");
