import type { Configuration } from "@millrace/core";
import type { JobManager } from "../dispatcher/job-manager.js";
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
  close(): Promise<void>;
}

/** @throws what the server and the reporters throw when they cannot start */
export async function startJobManagerRest(
  jobManager: JobManager, { env, config, onShutDown }: { readonly env: ClusterEnv; readonly config: Configuration; readonly onShutDown: (() => void) | undefined },
): Promise<JobManagerRest> {
  const { log, clock } = env;
  const gateway = new ClusterGateway(jobManager, { version: MILLRACE_VERSION, config: config.toJSON(), ...(onShutDown === undefined ? {} : { onShutDown }) });
  const context = { gateway, version: MILLRACE_VERSION, log };
  let server: RestServer | undefined;
  try {
    server = await startConfiguredServer(config, { ...context, defaultPorts: DEFAULT_PORTS });
    const { url } = server;
    log.write("info", `REST API: ${url}`);
    const reporters = await startConfiguredReporters(config, { ...context, clock });
    for (const description of reporters.descriptions) log.write("info", description);
    return {
      url,
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
