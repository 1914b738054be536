import { FileSource, WatermarkStrategy } from "millrace";
import { hashRow } from "../data/rows.js";
import { benchEnvironment } from "./bench-environment.js";
import { ChecksumSink } from "./checksum-sink.js";
import { gated } from "./gate.js";
import { parameters } from "./job-parameters.js";

const source = FileSource.csv(parameters.required("input").split(","), {
  columns: { id: "int", sensor: "string", timestamp: "int", celsius: "number", ok: "boolean" }, header: false,
});
const env = benchEnvironment();
env.fromSource(gated(source), WatermarkStrategy.noWatermarks(), "rows").sinkTo(new ChecksumSink(hashRow));
await env.execute("CSV rows");
