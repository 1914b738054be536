export * from "./operator-info.js";
export * from "./operator-registry.js";
export * from "./specialize.js";
