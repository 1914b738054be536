import type { Cancellable, Clock, LogSink } from "@millrace/core";
import type { MetricSample } from "./metric-samples.js";

export interface OtlpReporterInit {
  readonly collect: () => Promise<readonly MetricSample[]>;
  /** The collector's base URL, such as `http://localhost:4318`; `/v1/metrics` is added when the path is empty. */
  readonly endpoint: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  readonly serviceName: string;
  readonly serviceVersion: string;
  readonly clock: Clock;
  readonly log: LogSink;
}

const TIMEOUT_MS = 10_000;

/** Sends metrics to an OpenTelemetry collector, OTLP over HTTP as JSON. What cannot be sent is dropped; the first failure of a row is logged. */
export class OtlpReporter {
  readonly #init: OtlpReporterInit;
  readonly #url: string;
  readonly #startedMs: number;
  #timer: Cancellable | undefined;
  #failing = false;
  #closed = false;

  constructor(init: OtlpReporterInit) {
    this.#init = init;
    const url = new URL(init.endpoint);
    if (url.pathname === "/") url.pathname = "/v1/metrics";
    this.#url = url.href;
    this.#startedMs = init.clock.nowMs();
  }

  start(): void {
    if (this.#closed) return;
    this.#timer = this.#init.clock.setTimer(this.#init.intervalMs, () => void this.report().finally(() => this.start()));
  }

  /** Sends once, now. Never rejects. */
  async report(): Promise<void> {
    const { clock, log, headers } = this.#init;
    try {
      const body = otlpMetrics(await this.#init.collect(), { ...this.#init, startedMs: this.#startedMs, nowMs: clock.nowMs() });
      const response = await fetch(this.#url, {
        method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body), signal: AbortSignal.timeout(TIMEOUT_MS), redirect: "error",
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`the collector answered ${response.status}`);
      this.#failing = false;
    } catch (error) {
      // The URL may hold credentials: only its host is named.
      if (!this.#failing) log.write("warn", `cannot send metrics to ${new URL(this.#url).host}: ${(error as Error).message}`);
      this.#failing = true;
    }
  }

  /** Sends what there is a last time. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.report();
  }
}

type Json = Readonly<Record<string, unknown>>;

/** An OTLP `ExportMetricsServiceRequest`. Quantiles become a summary, everything else a gauge. https://opentelemetry.io/docs/specs/otlp/ */
export function otlpMetrics(samples: readonly MetricSample[], context: { readonly serviceName: string; readonly serviceVersion: string; readonly startedMs: number; readonly nowMs: number }): Json {
  const times = { startTimeUnixNano: nanos(context.startedMs), timeUnixNano: nanos(context.nowMs) };
  const gauges = new Map<string, Json[]>();
  const summaries = new Map<string, Map<string, { readonly attributes: readonly Json[]; count: number; readonly quantiles: Json[] }>>();
  for (const { name, labels, value, quantile } of samples) {
    if (!Number.isFinite(value)) continue;
    const attributes = attributesOf(labels);
    if (quantile === undefined && !name.endsWith("_count")) {
      gauges.set(name, [...(gauges.get(name) ?? []), { attributes, ...times, asDouble: value }]);
      continue;
    }
    const metric = name.replace(/_count$/, "");
    const points = summaries.get(metric) ?? new Map<string, { readonly attributes: readonly Json[]; count: number; readonly quantiles: Json[] }>();
    summaries.set(metric, points);
    const key = JSON.stringify(labels);
    const point = points.get(key) ?? { attributes, count: 0, quantiles: [] };
    points.set(key, point);
    if (quantile === undefined) point.count = value;
    else point.quantiles.push({ quantile, value });
  }
  const metrics = [
    ...[...gauges].map(([name, dataPoints]) => ({ name: `flink.${name}`, gauge: { dataPoints } })),
    ...[...summaries].map(([name, points]) => ({
      name: `flink.${name}`,
      summary: { dataPoints: [...points.values()].map(({ attributes, count, quantiles }) => ({ attributes, ...times, count: String(Math.round(count)), sum: 0, quantileValues: quantiles })) },
    })),
  ];
  const resource = { attributes: attributesOf({ "service.name": context.serviceName, "service.version": context.serviceVersion }) };
  return { resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: "millrace", version: context.serviceVersion }, metrics }] }] };
}

function attributesOf(labels: Readonly<Record<string, string>>): Json[] {
  return Object.entries(labels).map(([key, value]) => ({ key, value: { stringValue: value } }));
}

function nanos(ms: number): string {
  return String(BigInt(Math.round(ms)) * 1_000_000n);
}
