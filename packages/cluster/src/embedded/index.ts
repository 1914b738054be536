export * from "./worker-slots.js";
export { slotEntryUrl } from "./slot-worker.js";
export * from "./embedded-job.js";
export * from "../job-master/local-job-client.js";
export * from "./console-log.js";
export * from "./show-job.js";
