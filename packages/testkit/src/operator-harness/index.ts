export * from "./harness-options.js";
export * from "./harness-output.js";
export * from "./harness-snapshot.js";
export * from "./operator-harness.js";
export * from "./one-input-harness.js";
export * from "./two-input-harness.js";
