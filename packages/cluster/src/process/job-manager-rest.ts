import { REST_ADDRESS, type Configuration } from "@millrace/core";
import type { JobManager } from "../dispatcher/job-manager.js";
import type { LogDirectory } from "../inspection/log-directory.js";
import { NodeProcessInspection } from "../inspection/node-process-inspection.js";
import { startConfiguredReporters } from "../metrics/configured-reporters.js";
import { startConfiguredServer } from "../rest/configured-server.js";
import { ClusterGateway } from "../rest/gateway/cluster-gateway.js";
import type { RestServer } from "../rest/rest-server.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import { MILLRACE_VERSION } from "../rpc/millrace-version.js";

/** Several JobManagers on one machine do not fight over a port that nobody asked for. */
const DEFAULT_PORTS = "8081-8099";

/** REST server and metrics reporters of a JobManager. */
export interface JobManagerRest {
  readonly url: string;
  /** What others are told: with the name that `rest.address` gives. */
  readonly advertisedUrl: string;
  close(): Promise<void>;
}

export interface JobManagerRestInit {
  readonly env: ClusterEnv;
  readonly config: Configuration;
  readonly logs: LogDirectory | undefined;
  readonly onShutDown: (() => void) | undefined;
  /** `undefined` while this process is a standby. */
  readonly leader: () => JobManager | undefined;
  /** Where the leader serves REST, for a standby. */
  readonly leaderUrl: () => string | undefined;
}

/** @throws what the server and the reporters throw when they cannot start */
export async function startJobManagerRest({ env, config, logs, onShutDown, leader, leaderUrl }: JobManagerRestInit): Promise<JobManagerRest> {
  const { log, clock } = env;
  const gateway = new ClusterGateway(leader, { version: MILLRACE_VERSION, config: config.toJSON(), inspection: new NodeProcessInspection({ logs }), ...(onShutDown === undefined ? {} : { onShutDown }) });
  const context = { gateway, version: MILLRACE_VERSION, log };
  let server: RestServer | undefined;
  try {
    const standby = (): { readonly leaderUrl: string | undefined } | undefined => (leader() === undefined ? { leaderUrl: leaderUrl() } : undefined);
    server = await startConfiguredServer(config, { ...context, standby, defaultPorts: DEFAULT_PORTS });
    const { url } = server;
    log.write("info", `REST API: ${url}`);
    const reporters = await startConfiguredReporters(config, { ...context, clock });
    for (const description of reporters.descriptions) log.write("info", description);
    return {
      url, advertisedUrl: advertised(url, config.get(REST_ADDRESS)),
      close: async () => {
        await Promise.all([server?.close(), reporters.close()]);
        gateway.close();
      },
    };
  } catch (error) {
    await server?.close();
    gateway.close();
    throw error;
  }
}

function advertised(url: string, host: string | undefined): string {
  if (host === undefined) return url;
  const changed = new URL(url);
  changed.hostname = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return changed.origin;
}
