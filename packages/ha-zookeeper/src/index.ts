export * from "./zookeeper-coordination.js";
