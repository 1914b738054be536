export * from "./run-job.js";
export { runCommandLine } from "./command-line.js";
