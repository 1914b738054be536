export * from "./sink-guarantees.js";
export * from "./sink-under-test.js";
export { type SinkGuarantee } from "./guarantee.js";
