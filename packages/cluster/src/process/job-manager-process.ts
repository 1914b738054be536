import { rmSync, rmdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { JOBMANAGER_BIND_HOST, TMP_DIRS, type Configuration, type LogSink } from "@millrace/core";
import { JobManager } from "../dispatcher/job-manager.js";
import { internalCredentials, requireSafeBinding } from "../security/internal-tls.js";
import { nodeClusterEnv } from "./node-cluster-env.js";
import { processLog } from "./process-log.js";

/** A JobManager with its REST server and metrics reporters. */
export interface JobManagerProcess {
  readonly jobManager: JobManager;
  readonly restUrl: string;
  /** Cancels all jobs, then leaves. */
  stop(): Promise<void>;
}

export interface JobManagerProcessOptions {
  readonly log?: LogSink;
  /** Called by `DELETE /cluster`; without it that is refused. */
  readonly onShutDown?: () => void;
}

/**
 * Starts a JobManager in this process, as the only one and so the leader, and serves REST.
 * @throws `BIND_NOT_LOOPBACK`, `TLS_FILE_UNREADABLE`, `TLS_CERTIFICATE_UNUSABLE`, `ADDRESS_IN_USE`, `REST_PORT_IN_USE`, `BIND_NOT_SAFE` and other complaints about REST and reporters
 */
export async function startJobManager(config: Configuration, { log = processLog, onShutDown }: JobManagerProcessOptions = {}): Promise<JobManagerProcess> {
  const credentials = internalCredentials(config);
  requireSafeBinding(config.get(JOBMANAGER_BIND_HOST), JOBMANAGER_BIND_HOST, credentials);
  const env = nodeClusterEnv(log, credentials);
  const directory = resolve(config.get(TMP_DIRS) ?? tmpdir(), `millrace-jobmanager-${env.randomHex(8)}`);
  // Artifacts are code: nobody else may change them.
  const blobs = join(directory, "blobs");
  await mkdir(blobs, { recursive: true, mode: 0o700 });
  process.once("exit", () => {
    rmSync(blobs, { recursive: true, force: true });
    removeIfEmpty(join(directory, "checkpoints"));
    removeIfEmpty(directory);
  });
  const jobManager = await JobManager.start({ env, config, directory, fencingToken: env.randomHex(16) });
  log.write("info", `JobManager listens on ${config.get(JOBMANAGER_BIND_HOST)}:${jobManager.port}${credentials === undefined ? "" : " with TLS"}`);
  try {
    // Commands that are only clients load this module, too, and need no server.
    const { startJobManagerRest } = await import("./job-manager-rest.js");
    const rest = await startJobManagerRest(jobManager, { env, config, onShutDown });
    return {
      jobManager, restUrl: rest.url,
      stop: async () => {
        await jobManager.stop();
        await rest.close();
      },
    };
  } catch (error) {
    await jobManager.stop();
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
