import { rmSync, rmdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { HA_TYPE, JOBMANAGER_BIND_HOST, TMP_DIRS, type Configuration, type LogSink } from "@millrace/core";
import { JobManager } from "../dispatcher/job-manager.js";
import { JobManagerRunner } from "../dispatcher/job-manager-runner.js";
import type { LogDirectory } from "../inspection/log-directory.js";
import type { BundlePlanner } from "../rest/gateway/uploaded-bundles.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import { highAvailabilityOf } from "./high-availability.js";
import { reloadedCredentials, requireSafeBinding } from "../security/internal-tls.js";
import { nodeClusterEnv } from "./node-cluster-env.js";
import { processLog } from "./process-log.js";

/** A JobManager with its REST server and metrics reporters. */
export interface JobManagerProcess {
  /** Of RPC. */
  readonly port: number;
  readonly restUrl: string;
  /** The one in charge, while it is in this process: always, without high availability. */
  leader(): JobManager | undefined;
  /**
   * Leaves. `cancelJobs: false` leaves running jobs to the next leader; without high availability there is none, and they are cancelled in either case.
   */
  stop(options: { readonly cancelJobs: boolean }): Promise<void>;
}

export interface JobManagerProcessOptions {
  readonly log?: LogSink;
  /** What is shown as this process's log. */
  readonly logs?: LogDirectory | undefined;
  /** Who runs the programs of bundles that are uploaded through REST; without it none are taken. */
  readonly planner?: BundlePlanner | undefined;
  /** Called by `DELETE /cluster`; without it that is refused. */
  readonly onShutDown?: () => void;
  /** With high availability: this process leads, and has taken up the jobs; `undefined` when it no longer does. */
  readonly onLeader?: (leader: JobManager | undefined) => void;
  /** With high availability: the process cannot go on, and should end. */
  readonly fatal?: (error: Error) => void;
}

/**
 * Starts a JobManager in this process and serves REST: as the only one and so the leader, or, with high availability, as one of several.
 * @throws `BIND_NOT_LOOPBACK`, `TLS_FILE_UNREADABLE`, `TLS_CERTIFICATE_UNUSABLE`, `ADDRESS_IN_USE`, `REST_PORT_IN_USE`, `BIND_NOT_SAFE`, `HA_OPTION_MISSING` and other complaints about REST, reporters and
 * high availability
 */
export async function startJobManager(config: Configuration, options: JobManagerProcessOptions = {}): Promise<JobManagerProcess> {
  const { log = processLog, logs, planner, onShutDown } = options;
  const credentials = reloadedCredentials(config, log);
  requireSafeBinding(config.get(JOBMANAGER_BIND_HOST), JOBMANAGER_BIND_HOST, credentials);
  const env = nodeClusterEnv(log, credentials);
  const running = config.get(HA_TYPE) === "NONE" ? await startAlone(env, config) : await startOneOfSeveral(env, config, options);
  log.write("info", `JobManager listens on ${config.get(JOBMANAGER_BIND_HOST)}:${running.port}${credentials === undefined ? "" : " with TLS"}`);
  try {
    // Commands that are only clients load this module, too, and need no server.
    const { startJobManagerRest } = await import("./job-manager-rest.js");
    const rest = await startJobManagerRest({ env, config, logs, planner, onShutDown, leader: running.leader, leaderUrl: running.leaderUrl });
    running.ready(rest.advertisedUrl);
    return {
      port: running.port, restUrl: rest.url, leader: running.leader,
      stop: async (how) => {
        await running.stop(how);
        await rest.close();
        credentials?.close();
      },
    };
  } catch (error) {
    await running.stop({ cancelJobs: true });
    credentials?.close();
    throw error;
  }
}

/** A JobManager without what only people and tools see of it. */
interface RunningJobManager extends Pick<JobManagerProcess, "port" | "leader" | "stop"> {
  /** Where the leader serves REST, when it is another. */
  readonly leaderUrl: () => string | undefined;
  /** REST is served here from now on. */
  readonly ready: (restUrl: string) => void;
}

async function startAlone(env: ClusterEnv, config: Configuration): Promise<RunningJobManager> {
  const directory = resolve(config.get(TMP_DIRS) ?? tmpdir(), `millrace-jobmanager-${env.randomHex(8)}`);
  // Artifacts are code: nobody else may change them.
  const blobs = join(directory, "blobs");
  await mkdir(blobs, { recursive: true, mode: 0o700 });
  process.once("exit", () => {
    for (const own of [blobs, join(directory, "tmp")]) rmSync(own, { recursive: true, force: true });
    removeIfEmpty(join(directory, "checkpoints"));
    removeIfEmpty(directory);
  });
  const jobManager = await JobManager.start({ env, config, directory, fencingToken: env.randomHex(16) });
  return { port: jobManager.port, leader: () => jobManager, leaderUrl: () => undefined, ready: () => undefined, stop: () => jobManager.stop() };
}

async function startOneOfSeveral(env: ClusterEnv, config: Configuration, { onLeader, fatal }: JobManagerProcessOptions): Promise<RunningJobManager> {
  // Without credentials: those are for the ports of the cluster, which a ZooKeeper is not.
  const { services, directory } = await highAvailabilityOf(nodeClusterEnv(env.log), config);
  const temporaryDirectory = resolve(config.get(TMP_DIRS) ?? tmpdir(), `millrace-jobmanager-${env.randomHex(8)}`);
  process.once("exit", () => rmSync(temporaryDirectory, { recursive: true, force: true }));
  try {
    await mkdir(join(directory, "blobs"), { recursive: true, mode: 0o700 });
    const runner = await JobManagerRunner.start({
      env, config, services, directory, temporaryDirectory, ...(onLeader === undefined ? {} : { onLeader }),
      fatal: (error) => {
        env.log.write("error", `this JobManager cannot lead: ${error.message}`);
        fatal?.(error);
      },
    });
    return {
      port: runner.port, leader: () => runner.leader, leaderUrl: () => runner.leaderRestUrl, ready: (restUrl) => runner.stand(restUrl), stop: (how) => runner.stop(how),
    };
  } catch (error) {
    await services.close();
    throw error;
  }
}

/** Checkpoints that a job retains stay. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // It is not empty, or was never made.
  }
}
