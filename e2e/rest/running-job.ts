// A job like that of flink/RunCluster.java, on an embedded cluster that serves REST.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmbeddedGateway, startRestServer, type RestServer, type RestServerInit } from "@millrace/cluster/rest";
import { nodeInThreadExecutor } from "@millrace/cluster/in-thread";
import { installExecutor, installedExecutor } from "@millrace/graph";
import { DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment, SumCounter, WatermarkStrategy, type JobClient, type MapFunction, type RuntimeContext } from "millrace";

let failed = false;

/** Counts, and fails once. */
class Counting implements MapFunction<number, number> {
  #counted!: SumCounter;
  #seen = 0;

  open(context: RuntimeContext): void {
    this.#counted = context.addAccumulator("counted", new SumCounter());
  }

  map(value: number): number {
    this.#counted.add(1);
    if (++this.#seen > 50 && !failed) {
      failed = true;
      throw new Error("failing once");
    }
    return value;
  }
}

export interface RunningJob {
  readonly server: RestServer;
  readonly gateway: EmbeddedGateway;
  readonly jobId: string;
  readonly client: JobClient;
  close(): Promise<void>;
}

/** Starts server and job. The job never ends by itself; `close` cancels it. */
export async function startRunningJob(init: Partial<RestServerInit> = {}, config: Readonly<Record<string, unknown>> = {}): Promise<RunningJob> {
  failed = false;
  const directory = mkdtempSync(join(tmpdir(), "millrace-rest-"));
  const log = { write: () => undefined };
  const gateway = new EmbeddedGateway({ version: "0.1.0", config: { "rest.port": 0, "s3.secret-key": "do not show" } });
  const server = await startRestServer({ gateway, version: "0.1.0", log, ports: [0], settings: { profilingEnabled: true }, ...init });
  const previous = installedExecutor();
  installExecutor(nodeInThreadExecutor({
    log, onJob: (job) => gateway.add(job.view().jobGraph.jobId, job),
    configOverrides: {
      "execution.checkpointing.interval": "100 ms", "execution.checkpointing.dir": directory, "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 3,
      "restart-strategy.fixed-delay.delay": "100 ms", "parallelism.default": 2, ...config,
    },
  }));
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  const watermarks = WatermarkStrategy.forBoundedOutOfOrderness<number>("1 s").withTimestampAssigner((value) => value);
  env.fromSource(new DataGeneratorSource((index: number) => index, Number.POSITIVE_INFINITY, RateLimiterStrategy.perSecond(400)), watermarks, "numbers")
    .keyBy((value) => value % 10).map(Counting).name("counting").uid("counting").discard();
  const client = await env.executeAsync("shapes");
  return {
    server, gateway, client, jobId: client.jobId,
    close: async () => {
      await client.cancel().catch(() => undefined);
      if (previous !== undefined) installExecutor(previous);
      await server.close();
      gateway.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Asks a server, as requests.mjs wants it. */
export function asker(base: string): (method: string, path: string, body?: unknown) => Promise<{ readonly status: number; readonly body?: any; readonly text?: string }> {
  return async (method, path, body) => {
    const response = await fetch(base + path, { method, redirect: "manual", ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }) });
    const text = await response.text();
    try {
      return { status: response.status, body: JSON.parse(text) };
    } catch {
      return { status: response.status, text };
    }
  };
}
