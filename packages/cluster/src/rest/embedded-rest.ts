import { Configuration, REST_PORT, allOptions } from "@millrace/core";
import type { Clock, LogSink } from "@millrace/core";
import { NodeProcessInspection } from "../inspection/node-process-inspection.js";
import { profilingsOf } from "../inspection/profilings.js";
import type { JobMaster } from "../job-master/job-master.js";
import { startConfiguredReporters, wantsReporters, type Reporters } from "../metrics/configured-reporters.js";
import { startConfiguredServer } from "./configured-server.js";
import { EmbeddedGateway } from "./gateway/embedded-gateway.js";
import type { RestServer } from "./rest-server.js";

/** Whether a job's configuration asks for a REST server or metrics reporters. */
export function wantsRest(config: Readonly<Record<string, unknown>>): boolean {
  return REST_PORT.key in config || wantsReporters(Configuration.of(config, allOptions));
}

/** REST server and reporters of the jobs of this process. */
export interface EmbeddedRest {
  /** Where it listens; `undefined` with reporters alone. */
  readonly url: string | undefined;
  /** What runs, for people. */
  readonly descriptions: readonly string[];
}

interface Shared {
  readonly gateway: EmbeddedGateway;
  readonly server: RestServer | undefined;
  readonly reporters: Reporters;
  jobs: number;
}

/** Jobs of one process with the same ports share what listens there. */
const shared = new Map<string, Promise<Shared>>();

/**
 * Shows an embedded job through what its configuration asks for, until it ends. Jobs that run at the same time with the same ports are shown together.
 * @throws what the server and the reporters throw when they cannot start
 */
export async function startEmbeddedRest(
  job: JobMaster, context: { readonly version: string; readonly log: LogSink; readonly clock: Clock },
): Promise<EmbeddedRest> {
  const { jobGraph } = job.view();
  const config = Configuration.of(jobGraph.config, allOptions);
  const key = JSON.stringify(allOptions.filter((option) => /^(rest|metrics\.reporter)\./.test(option.key)).map((option) => config.get(option)));
  let starting = shared.get(key);
  if (starting === undefined) shared.set(key, (starting = start(config, jobGraph.config, context)));
  let running: Shared;
  try {
    running = await starting;
  } catch (error) {
    shared.delete(key);
    throw error;
  }
  running.jobs++;
  running.gateway.add(jobGraph.jobId, job);
  const ended = (): void => {
    if (--running.jobs > 0) return;
    shared.delete(key);
    void Promise.all([running.server?.close(), running.reporters.close()]).then(() => running.gateway.close());
  };
  job.result.then(ended, ended);
  const { server, reporters } = running;
  return { url: server?.url, descriptions: [...(server === undefined ? [] : [`REST API: ${server.url}`]), ...reporters.descriptions] };
}

async function start(config: Configuration, raw: Readonly<Record<string, unknown>>, context: { readonly version: string; readonly log: LogSink; readonly clock: Clock }): Promise<Shared> {
  const gateway = new EmbeddedGateway({
    version: context.version, config: raw, inspection: new NodeProcessInspection({ watchesAllThreads: true, profilings: profilingsOf(config, "embedded") }),
  });
  let server: RestServer | undefined;
  try {
    server = config.has(REST_PORT) ? await startConfiguredServer(config, { gateway, ...context }) : undefined;
    // What is shown of a job must not keep its process alive.
    server?.unref();
    return { gateway, server, reporters: await startConfiguredReporters(config, { gateway, ...context }), jobs: 0 };
  } catch (error) {
    await server?.close();
    gateway.close();
    throw error;
  }
}
