import { configOption, type ConfigOption } from "./config-option.js";

/** Options of the REST server, its security, and the metrics reporters, under Flink's keys where Flink has them. */
export const REST_PORT: ConfigOption<string | undefined> = configOption.optionalPorts(
  "rest.port", undefined, "Port of the REST server, or a range whose lowest free one is taken; 0 is any. Not set: 8081-8099 for a JobManager; an embedded job serves none.");
export const REST_ADDRESS: ConfigOption<string | undefined> = configOption.optionalString(
  "rest.address", undefined, "The name by which clients reach this JobManager's REST server, to which a standby sends them; not set is rest.bind-address.");
export const REST_BIND_ADDRESS: ConfigOption<string> = configOption.string(
  "rest.bind-address", "localhost", "Address the REST server listens on; one that is not loopback needs TLS and authentication.");
export const REST_MAX_CONTENT_LENGTH: ConfigOption<number> = configOption.memorySize(
  "rest.server.max-content-length", 100 * 1024 ** 2, "The largest upload the REST server takes.");
export const WEB_SUBMIT: ConfigOption<boolean> = configOption.boolean("web.submit.enable", false, "Whether jobs may be uploaded and started through REST.");
export const WEB_CANCEL: ConfigOption<boolean> = configOption.boolean("web.cancel.enable", true, "Whether jobs may be cancelled through REST.");
export const WEB_UPLOAD_DIRECTORY: ConfigOption<string | undefined> = configOption.optionalString(
  "web.upload.dir", undefined, "Directory for uploads on their way; not set means the system's temporary one.");
export const WEB_REFRESH_INTERVAL: ConfigOption<number> = configOption.duration("web.refresh-interval", 3000, "How often the dashboard asks again.");
export const WEB_DASHBOARD_DIRECTORY: ConfigOption<string | undefined> = configOption.optionalString(
  "web.dashboard.dir", undefined, "Directory of a dashboard's static files, served at /.");
export const SSL_RELOAD_INTERVAL: ConfigOption<number> = configOption.duration(
  "security.ssl.reload-interval", 10_000, "How often the files of certificates, keys and CAs, internal ones and those of REST, are looked at: what was replaced is used for new connections. 0 is never.");
export const REST_SSL: ConfigOption<boolean> = configOption.boolean("security.ssl.rest.enabled", false, "Whether the REST server speaks HTTPS.");
export const REST_SSL_CERTIFICATE: ConfigOption<string | undefined> = configOption.optionalString(
  "security.ssl.rest.certificate", undefined, "PEM file with the REST server's certificate, as `millrace cert` makes it.");
export const REST_SSL_KEY: ConfigOption<string | undefined> = configOption.optionalString("security.ssl.rest.key", undefined, "PEM file with the key of that certificate.");
export const REST_SSL_CA: ConfigOption<string | undefined> = configOption.optionalString(
  "security.ssl.rest.ca", undefined, "PEM file with the CA whose client certificates are accepted.");
export const REST_SSL_AUTHENTICATION: ConfigOption<boolean> = configOption.boolean(
  "security.ssl.rest.authentication-enabled", false, "Whether callers of the REST server authenticate by client certificate.");
export const REST_TOKENS_FILE: ConfigOption<string | undefined> = configOption.optionalString(
  "security.rest.tokens-file", undefined, "File of token hashes and roles, as `millrace token` writes it; with it callers authenticate by bearer token or login.");
export const FLAMEGRAPH_ENABLED: ConfigOption<boolean> = configOption.boolean(
  "rest.flamegraph.enabled", false, "Whether REST answers with flame graphs. Only while somebody looks at one, the job's slots are sampled.");
export const FLAMEGRAPH_SAMPLES: ConfigOption<number> = configOption.positiveInteger("rest.flamegraph.num-samples", 100, "Samples of a flame graph.");
export const FLAMEGRAPH_DELAY: ConfigOption<number> = configOption.duration("rest.flamegraph.delay-between-samples", 50, "Time between the samples of a flame graph.");
export const FLAMEGRAPH_DEPTH: ConfigOption<number> = configOption.positiveInteger("rest.flamegraph.stack-depth", 100, "The most frames of a stack in a flame graph.");
export const FLAMEGRAPH_REFRESH: ConfigOption<number> = configOption.duration("rest.flamegraph.refresh-interval", 60_000, "A flame graph that is older is made anew when somebody looks at it.");
export const FLAMEGRAPH_CLEANUP: ConfigOption<number> = configOption.duration("rest.flamegraph.cleanup-interval", 600_000, "A flame graph that nobody has looked at for so long is forgotten.");
export const PROFILING_ENABLED: ConfigOption<boolean> = configOption.boolean(
  "rest.profiling.enabled", false, "Whether JobManager and TaskManagers can be profiled through REST. Only while a profiling runs it costs anything.");
export const PROFILING_HISTORY_SIZE: ConfigOption<number> = configOption.positiveInteger(
  "rest.profiling.history-size", 10, "So many profilings a process remembers, with their files; the oldest goes.");
export const PROFILING_DURATION_MAX: ConfigOption<number> = configOption.duration("rest.profiling.duration-max", 300_000, "The longest profiling that is taken.");
export const PROFILING_DIRECTORY: ConfigOption<string | undefined> = configOption.optionalString(
  "rest.profiling.dir", undefined, "Directory of the files of profilings, on the machine of the process that was profiled; not set is a temporary one that goes with the process.");
export const PROMETHEUS_FACTORY: ConfigOption<string | undefined> = configOption.optionalString(
  "metrics.reporter.prom.factory.class", undefined, "org.apache.flink.metrics.prometheus.PrometheusReporterFactory switches the Prometheus reporter on.");
export const PROMETHEUS_PORT: ConfigOption<string> = configOption.ports(
  "metrics.reporter.prom.port", "9249", "Port of the Prometheus reporter on loopback, or a range whose lowest free one is taken.");
export const PROMETHEUS_FILTER_LABELS: ConfigOption<boolean> = configOption.boolean(
  "metrics.reporter.prom.filterLabelValueCharacters", true, "Whether unusual characters in label values become underscores.");
export const OTEL_FACTORY: ConfigOption<string | undefined> = configOption.optionalString(
  "metrics.reporter.otel.factory.class", undefined, "org.apache.flink.metrics.otel.OpenTelemetryMetricReporterFactory switches the OpenTelemetry reporter on.");
export const OTEL_ENDPOINT: ConfigOption<string> = configOption.string(
  "metrics.reporter.otel.exporter.endpoint", "http://localhost:4318", "The OpenTelemetry collector's HTTP endpoint.");
export const OTEL_INTERVAL: ConfigOption<number> = configOption.duration("metrics.reporter.otel.interval", 10_000, "How often metrics are sent to the collector.");
export const OTEL_SERVICE_NAME: ConfigOption<string> = configOption.string("metrics.reporter.otel.service.name", "millrace", "`service.name` of the metrics that are sent.");

export const restOptions: readonly ConfigOption<any>[] = [
  REST_ADDRESS, REST_PORT, REST_BIND_ADDRESS, REST_MAX_CONTENT_LENGTH, WEB_SUBMIT, WEB_CANCEL, WEB_UPLOAD_DIRECTORY, WEB_REFRESH_INTERVAL, WEB_DASHBOARD_DIRECTORY,
  REST_SSL, SSL_RELOAD_INTERVAL, REST_SSL_CERTIFICATE, REST_SSL_KEY, REST_SSL_CA, REST_SSL_AUTHENTICATION, REST_TOKENS_FILE,
  FLAMEGRAPH_ENABLED, FLAMEGRAPH_SAMPLES, FLAMEGRAPH_DELAY, FLAMEGRAPH_DEPTH, FLAMEGRAPH_REFRESH, FLAMEGRAPH_CLEANUP,
  PROFILING_ENABLED, PROFILING_HISTORY_SIZE, PROFILING_DURATION_MAX, PROFILING_DIRECTORY,
  PROMETHEUS_FACTORY, PROMETHEUS_PORT, PROMETHEUS_FILTER_LABELS, OTEL_FACTORY, OTEL_ENDPOINT, OTEL_INTERVAL, OTEL_SERVICE_NAME,
];
