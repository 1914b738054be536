export * from "./bundle-job.js";
export * from "./program.js";
export * from "./prestarted-program.js";
export * from "./library-bundle.js";
export * from "./unused-arguments.js";
export * from "./portable-artifact.js";
export type { BundledPackages } from "./esbuild-bundle.js";
