export * from "./bundle-job.js";
export * from "./program.js";
