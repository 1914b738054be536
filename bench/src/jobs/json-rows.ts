import { FileSource, WatermarkStrategy } from "millrace";
import { hashRow, type Row } from "../data/rows.js";
import { benchEnvironment } from "./bench-environment.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { parameters } from "./job-parameters.js";

const env = benchEnvironment();
env.fromSource(gated(FileSource.jsonLines<Row>(parameters.required("input").split(","))), WatermarkStrategy.noWatermarks<Row>(), "rows").sinkTo(new ChecksumSink<Row>(hashRow));
await env.execute("JSON lines");
