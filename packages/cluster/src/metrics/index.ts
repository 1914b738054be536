export * from "./process-metrics.js";
export * from "./job-metrics.js";
export * from "./metric-names.js";
export * from "./metric-samples.js";
export * from "./prometheus-text.js";
export * from "./prometheus-reporter.js";
export * from "./otlp-reporter.js";
export * from "./configured-reporters.js";
