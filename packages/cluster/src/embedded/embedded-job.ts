import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CHECKPOINTING_DIRECTORY, Configuration, allOptions } from "@millrace/core";
import type { LogSink } from "@millrace/core";
import { createNodeEnv } from "@millrace/env-node";
import type { JobGraph, JobStatus } from "@millrace/graph";
import type { ResultTaker } from "../job-master/collected-results.js";
import { JobMaster } from "../job-master/job-master.js";
import type { WorkerSlots } from "./worker-slots.js";

export interface EmbeddedJobInit {
  readonly jobGraph: JobGraph;
  /** Already told what to load. */
  readonly slots: WorkerSlots;
  readonly log: LogSink;
  readonly onCollected: ResultTaker;
  readonly onStatus?: (status: JobStatus) => void;
}

/** Starts a planned job on worker threads of this process, its JobMaster in the caller's thread. */
export function startEmbeddedJob(init: EmbeddedJobInit): JobMaster {
  const { jobGraph, slots, log, onCollected, onStatus } = init;
  const directory = Configuration.of(jobGraph.config, allOptions).get(CHECKPOINTING_DIRECTORY);
  const job = new JobMaster({
    env: { ...createNodeEnv(), log }, jobGraph, slots, onCollected,
    checkpointDirectory: checkpointDirectory(directory, jobGraph.jobId),
    ...(onStatus === undefined ? {} : { onStatus }),
  });
  job.start();
  return job;
}

/** Without a configured directory checkpoints live among the temporary files as long as their job. A URI other than `file:` is left as it is. */
export function checkpointDirectory(configured: string | undefined, jobId: string): string {
  const base = configured === undefined ? join(tmpdir(), "millrace-checkpoints") : /^[a-z][a-z0-9+.-]+:/i.test(configured) ? configured.replace(/^file:(\/\/)?/, "") : resolve(configured);
  return `${base}/${jobId}`;
}
