import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { MillraceError } from "@millrace/core";
import { RestError } from "../rest/http/rest-error.js";
import { RequestGuard } from "../security/request-guard.js";
import type { MetricSample } from "./metric-samples.js";
import { PROMETHEUS_CONTENT_TYPE, prometheusText } from "./prometheus-text.js";

export interface PrometheusReporterInit {
  readonly collect: () => Promise<readonly MetricSample[]>;
  /** The first free one is taken. */
  readonly ports: readonly number[];
  readonly filterLabelCharacters?: boolean;
}

/**
 * Serves metrics to a Prometheus server on this machine: it listens on loopback. One on another machine reads `/metrics` of the REST server, with a
 * token or a certificate. Flink: PrometheusReporter.
 */
export class PrometheusReporter {
  readonly #server: Server;

  private constructor(init: PrometheusReporterInit) {
    const guard = new RequestGuard({ loopback: true, tls: false, tokens: undefined, clientCertificates: false });
    this.#server = createServer({ headersTimeout: 10_000, requestTimeout: 10_000, maxHeaderSize: 8192 }, (request, response) => {
      void (async () => {
        try {
          guard.checkOrigin(request);
          if (request.method !== "GET" || !/^\/(metrics)?(\?|$)/.test(request.url ?? "")) throw new RestError(404, "Metrics are at /metrics.");
          const text = prometheusText(await init.collect(), { filterLabelCharacters: init.filterLabelCharacters ?? true });
          response.writeHead(200, { "content-type": PROMETHEUS_CONTENT_TYPE, "x-content-type-options": "nosniff" }).end(text);
        } catch (error) {
          response.writeHead(error instanceof RestError ? error.status : 500, { "content-type": "text/plain" }).end(`${error instanceof RestError ? error.message : "The metrics cannot be read."}\n`);
        }
      })();
    });
    this.#server.maxConnections = 100;
  }

  /** @throws `METRICS_PORT_IN_USE` when no port is free */
  static async start(init: PrometheusReporterInit): Promise<PrometheusReporter> {
    const reporter = new PrometheusReporter(init);
    for (const port of init.ports) if (await reporter.#listen(port)) return reporter;
    throw new MillraceError({ code: "METRICS_PORT_IN_USE", message: "no port is free for the Prometheus reporter", hint: "set metrics.reporter.prom.port to others, such as 9250-9260", location: { option: "metrics.reporter.prom.port" } });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  unref(): void {
    this.#server.unref();
  }

  #listen(port: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => (error.code === "EADDRINUSE" || error.code === "EACCES" ? resolve(false) : reject(error));
      this.#server.once("error", onError);
      this.#server.listen(port, "localhost", () => {
        this.#server.off("error", onError);
        resolve(true);
      });
    });
  }
}
