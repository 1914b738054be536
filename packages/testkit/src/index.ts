export * from "./virtual-time/seeded-random.js";
export * from "./virtual-time/virtual-clock.js";
export * from "./virtual-time/memory-file-system.js";
export * from "./virtual-time/virtual-time.js";
export * from "./virtual-time/virtual-time-environment.js";
export * from "./mini-cluster/mini-cluster.js";
export * from "./operator-harness/index.js";
export * from "./sinks/transactional-sink.js";
