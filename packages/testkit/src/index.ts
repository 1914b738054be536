export * from "./virtual-time/virtual-clock.js";
export * from "./virtual-time/memory-file-system.js";
export * from "./virtual-time/virtual-time.js";
