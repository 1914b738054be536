import { hostname } from "node:os";
import { MillraceError, OTEL_ENDPOINT, OTEL_FACTORY, OTEL_INTERVAL, OTEL_SERVICE_NAME, PROMETHEUS_FACTORY, PROMETHEUS_FILTER_LABELS, PROMETHEUS_PORT, expandPorts } from "@millrace/core";
import type { Clock, ConfigOption, Configuration, LogSink } from "@millrace/core";
import type { RestGateway } from "../rest/gateway/rest-gateway.js";
import { collectSamples } from "./metric-samples.js";
import { OtlpReporter } from "./otlp-reporter.js";
import { PrometheusReporter } from "./prometheus-reporter.js";

const prometheusFactory = "org.apache.flink.metrics.prometheus.PrometheusReporterFactory";
const otelFactory = "org.apache.flink.metrics.otel.OpenTelemetryMetricReporterFactory";

export interface Reporters {
  /** What runs, for people. */
  readonly descriptions: readonly string[];
  close(): Promise<void>;
}

/** Whether a configuration asks for any reporter. */
export function wantsReporters(config: Configuration): boolean {
  return config.has(PROMETHEUS_FACTORY) || config.has(OTEL_FACTORY);
}

/** Starts the metrics reporters that a configuration asks for. @throws `METRICS_PORT_IN_USE`, `METRICS_REPORTER_UNKNOWN` */
export async function startConfiguredReporters(
  config: Configuration, context: { readonly gateway: RestGateway; readonly version: string; readonly log: LogSink; readonly clock: Clock },
): Promise<Reporters> {
  const collect = (): ReturnType<typeof collectSamples> => collectSamples(context.gateway, hostname());
  const closers: (() => Promise<void>)[] = [];
  const descriptions: string[] = [];
  if (wanted(config, PROMETHEUS_FACTORY, prometheusFactory)) {
    const reporter = await PrometheusReporter.start({ collect, ports: expandPorts(config.get(PROMETHEUS_PORT)), filterLabelCharacters: config.get(PROMETHEUS_FILTER_LABELS) });
    reporter.unref();
    closers.push(() => reporter.close());
    descriptions.push(`metrics for Prometheus: http://localhost:${reporter.port}/metrics`);
  }
  if (wanted(config, OTEL_FACTORY, otelFactory)) {
    const reporter = new OtlpReporter({
      collect, endpoint: config.get(OTEL_ENDPOINT), intervalMs: config.get(OTEL_INTERVAL), serviceName: config.get(OTEL_SERVICE_NAME), serviceVersion: context.version,
      clock: context.clock, log: context.log,
    });
    reporter.start();
    closers.push(() => reporter.close());
    descriptions.push(`metrics to OpenTelemetry: ${new URL(config.get(OTEL_ENDPOINT)).host}`);
  }
  return { descriptions, close: async () => void (await Promise.all(closers.map((close) => close()))) };
}

function wanted(config: Configuration, option: ConfigOption<string | undefined>, factory: string): boolean {
  const value = config.get(option);
  if (value === undefined) return false;
  if (value !== factory) throw new MillraceError({ code: "METRICS_REPORTER_UNKNOWN", message: `${option.key} is "${value}", which is no reporter here`, hint: `the only one is ${factory}`, location: { option: option.key } });
  return true;
}
