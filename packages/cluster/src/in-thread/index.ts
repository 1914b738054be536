export * from "./in-thread-slots.js";
export * from "./in-thread-executor.js";
export * from "../embedded/node-in-thread.js";
export * from "../embedded/console-log.js";
