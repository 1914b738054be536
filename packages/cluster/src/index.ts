export * from "./job-master/job-master.js";
export * from "./job-master/exception-history.js";
export * from "./job-master/execution-graph.js";
export type { ResultTaker } from "./job-master/collected-results.js";
export * from "./scheduler/slot-provider.js";
export * from "./scheduler/slot-assignment.js";
export * from "./scheduler/restart-strategy.js";
export * from "./checkpoint/checkpoint-metadata.js";
export * from "./checkpoint/completed-checkpoint-store.js";
