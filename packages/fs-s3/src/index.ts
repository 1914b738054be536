export * from "./s3-file-system.js";
