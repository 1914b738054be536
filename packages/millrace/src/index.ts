import "./default-executor.js";

export * from "./core-api.js";
export * from "@millrace/datastream";
export * from "@millrace/connector-files";
export * from "./run-job.js";
// Named by two of the above: these are meant.
export type { Collector } from "@millrace/core";
export type { StandardSchema } from "@millrace/datastream";
export type { JobClient, JobExecutionResult, JobListener, JobMetrics, JobStatus, StopOptions, VertexMetrics } from "@millrace/graph";
