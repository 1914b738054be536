export * from "./job-manager-process.js";
export * from "./task-manager-process.js";
export * from "./node-cluster-env.js";
export * from "./process-log.js";
export { internalCredentials } from "../security/internal-tls.js";
export { ClusterClient, type AttachedJob } from "../dispatcher/cluster-client.js";
export { JobManager } from "../dispatcher/job-manager.js";
export type { JobSummary } from "../dispatcher/managed-job.js";
export type { ClusterOverview } from "../dispatcher/client-protocol.js";
