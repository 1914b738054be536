import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { REST_ADDRESS, TMP_DIRS, WEB_SUBMIT, WEB_UPLOAD_DIRECTORY, type Configuration } from "@millrace/core";
import type { JobManager } from "../dispatcher/job-manager.js";
import type { LogDirectory } from "../inspection/log-directory.js";
import { NodeProcessInspection } from "../inspection/node-process-inspection.js";
import { profilingsOf } from "../inspection/profilings.js";
import { startConfiguredReporters } from "../metrics/configured-reporters.js";
import { startConfiguredServer } from "../rest/configured-server.js";
import { ClusterGateway } from "../rest/gateway/cluster-gateway.js";
import { UploadedBundles, type BundlePlanner } from "../rest/gateway/uploaded-bundles.js";
import type { RestServer } from "../rest/rest-server.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import { MILLRACE_VERSION } from "../rpc/millrace-version.js";
import { standbyRefusal } from "../rpc/standby-refusal.js";

/** Several JobManagers on one machine do not fight over a port that nobody asked for. */
const DEFAULT_PORTS = "8081-8099";
const UPLOADS = "millrace-web-upload";

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
  /** Who runs programs that are uploaded; without it none are taken. */
  readonly planner: BundlePlanner | undefined;
  readonly onShutDown: (() => void) | undefined;
  /** `undefined` while this process is a standby. */
  readonly leader: () => JobManager | undefined;
  /** Where the leader serves REST, for a standby. */
  readonly leaderUrl: () => string | undefined;
}

/** @throws what the server and the reporters throw when they cannot start */
export async function startJobManagerRest(init: JobManagerRestInit): Promise<JobManagerRest> {
  const { env, config, logs, onShutDown, leader, leaderUrl } = init;
  const { log, clock } = env;
  const inspection = new NodeProcessInspection({ logs, profilings: profilingsOf(config, "JobManager") });
  const gateway = new ClusterGateway(leader, { version: MILLRACE_VERSION, config: config.toJSON(), inspection, artifacts: bundles(init), ...(onShutDown === undefined ? {} : { onShutDown }) });
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

/** Those of `web.upload.dir` stay; without it they go with this process. */
function bundles({ env, config, planner, leader }: JobManagerRestInit): UploadedBundles | undefined {
  if (planner === undefined || !config.get(WEB_SUBMIT)) return undefined;
  const temporaryDirectory = resolve(config.get(TMP_DIRS) ?? tmpdir(), `millrace-bundles-${env.randomHex(8)}`);
  process.once("exit", () => rmSync(temporaryDirectory, { recursive: true, force: true }));
  const configured = config.get(WEB_UPLOAD_DIRECTORY);
  return new UploadedBundles({
    env, planner, temporaryDirectory, directory: configured === undefined ? join(temporaryDirectory, UPLOADS) : resolve(configured, UPLOADS),
    leader: () => {
      const leading = leader();
      if (leading === undefined) throw standbyRefusal(undefined);
      return leading;
    },
  });
}

function advertised(url: string, host: string | undefined): string {
  if (host === undefined) return url;
  const changed = new URL(url);
  changed.hostname = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return changed.origin;
}
