export * from "./operator-spec.js";
export * from "./stream-graph.js";
export * from "./job-graph.js";
export * from "./executor.js";
export * from "./job-client.js";
