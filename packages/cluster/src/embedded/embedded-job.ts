import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHECKPOINTING_DIRECTORY, Configuration, TMP_DIRS, allOptions } from "@millrace/core";
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

/** Starts a job made by {@link embeddedJob}. */
export function startEmbeddedJob(init: EmbeddedJobInit): JobMaster {
  const job = embeddedJob(init);
  job.start();
  return job;
}

/** A planned job on worker threads of this process, its JobMaster in the caller's thread; not started yet. */
export function embeddedJob(init: EmbeddedJobInit): JobMaster {
  const { jobGraph, slots, log, onCollected, onStatus } = init;
  const config = Configuration.of(jobGraph.config, allOptions);
  const env = { ...createNodeEnv(), log };
  // Without a configured directory checkpoints live among the temporary files as long as their job.
  const checkpointDirectory = `${env.fs.resolve(config.get(CHECKPOINTING_DIRECTORY) ?? join(tmpdir(), "millrace-checkpoints"))}/${jobGraph.jobId}`;
  const temporaryDirectory = `${env.fs.resolve(config.get(TMP_DIRS) ?? join(tmpdir(), "millrace"))}/${jobGraph.jobId}`;
  const job = new JobMaster({
    env, jobGraph, slots, onCollected, checkpointDirectory, temporaryDirectory,
    ...(onStatus === undefined ? {} : { onStatus }),
  });
  return job;
}
