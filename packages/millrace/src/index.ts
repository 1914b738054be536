import "./default-executor.js";

export * from "./core-api.js";
export * from "@millrace/datastream";
export * from "@millrace/connector-files";
export * from "./run-job.js";
export type { JobClient, JobExecutionResult, JobListener, JobMetrics, JobStatus, VertexMetrics } from "@millrace/graph";
