import { rmSync, rmdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { JOBMANAGER_BIND_HOST, TMP_DIRS, type Configuration, type LogSink } from "@millrace/core";
import { JobManager } from "../dispatcher/job-manager.js";
import { requireLoopback } from "./loopback.js";
import { nodeClusterEnv } from "./node-cluster-env.js";
import { processLog } from "./process-log.js";

/** Starts a JobManager in this process, as the only one and so the leader. @throws `BIND_NOT_LOOPBACK`, `ADDRESS_IN_USE` */
export async function startJobManager(config: Configuration, log: LogSink = processLog): Promise<JobManager> {
  requireLoopback(config.get(JOBMANAGER_BIND_HOST), JOBMANAGER_BIND_HOST);
  const env = nodeClusterEnv(log);
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
  log.write("info", `JobManager listens on ${config.get(JOBMANAGER_BIND_HOST)}:${jobManager.port}`);
  return jobManager;
}

/** Checkpoints that a job retains stay. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // It is not empty, or was never made.
  }
}
