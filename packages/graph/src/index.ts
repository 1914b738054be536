export * from "./operator-spec.js";
export * from "./stream-graph.js";
export * from "./job-graph.js";
