import { CHECKPOINTING_INTERVAL, Configuration, allOptions } from "@millrace/core";
import type { Env, LogSink } from "@millrace/core";
import type { JobGraph, JobStatus } from "@millrace/graph";
import type { CheckpointStore } from "../checkpoint/checkpoint-store.js";
import type { ResourceRequirements } from "../scheduler/resource-requirements.js";
import type { SlotProvider } from "../scheduler/slot-provider.js";
import type { ResultTaker } from "./collected-results.js";
import type { JobEnd } from "./job-end.js";
import type { ResultRoom } from "./result-room.js";

/** What a JobMaster is made with. */
export interface JobMasterInit {
  readonly env: Pick<Env, "clock" | "rng" | "fs" | "log">;
  readonly jobGraph: JobGraph;
  readonly slots: SlotProvider;
  /** Absolute directory of this job's checkpoints; `chk-<id>` goes in here. */
  readonly checkpointDirectory: string;
  /** Absolute directory of this job's temporary files; deleted when it ends. */
  readonly temporaryDirectory: string;
  /** Where savepoints go when neither the request nor the job names a directory. */
  readonly savepointDirectory?: string | undefined;
  readonly onCollected?: ResultTaker;
  /** Where results wait of all jobs of the JobManager; default: the job has it alone, as its configuration says. */
  readonly resultRoom?: ResultRoom | undefined;
  /** What tasks log and print; default `env.log`. What it returns resolves when more may come. */
  readonly onLog?: (level: Parameters<LogSink["write"]>[0], line: string) => void | Promise<void>;
  /** Called after every change, final ones included. */
  readonly onStatus?: (status: JobStatus) => void;
  /** With high availability: the job's checkpoints, over all leaders. Default: in memory. */
  readonly checkpoints?: CheckpointStore;
  /** Number of the first attempt, beyond those of every earlier leader; default 0. */
  readonly firstAttempt?: number;
  /** Least and most parallelism of each vertex as they were set under an earlier leader, for the adaptive scheduler. */
  readonly requirements?: ResourceRequirements | undefined;
  /** Called with new ones; they take effect once it has resolved. */
  readonly onRequirements?: (requirements: ResourceRequirements) => Promise<void>;
  /** Called when the job's end is certain: nothing is deleted, and nobody told, before this has resolved. */
  readonly onDecided?: (end: JobEnd) => Promise<void>;
}

/** The job's configuration; batch jobs take no periodic checkpoints, as in Flink. */
export function checkpointConfig(jobGraph: JobGraph): Configuration {
  const values: Record<string, unknown> = { ...jobGraph.config };
  if (jobGraph.runtimeMode === "BATCH") delete values[CHECKPOINTING_INTERVAL.key];
  return Configuration.of(values, allOptions);
}

