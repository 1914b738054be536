import { parquetFormat } from "@millrace/format-parquet";
import { FileSource, WatermarkStrategy } from "millrace";
import { fold, HASH_START } from "../data/checksum.js";
import { benchEnvironment } from "./bench-environment.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { parameters } from "./job-parameters.js";

const format = parquetFormat({ schema: { id: "int32", celsius: "double" }, filter: { id: { gte: parameters.getInt("from-id", 0) } } });
const env = benchEnvironment();
env.fromSource(gated(FileSource.forBulkFileFormat(format, parameters.required("input").split(","))), WatermarkStrategy.noWatermarks(), "rows")
  .sinkTo(new ChecksumSink<{ readonly id: number; readonly celsius: number }>(({ id, celsius }) => fold(fold(HASH_START, id), Math.round(celsius * 100))));
await env.execute("two columns of twelve");
