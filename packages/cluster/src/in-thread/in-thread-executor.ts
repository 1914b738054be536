import { BatchDecoder, CHECKPOINTING_DIRECTORY, MillraceError, SLOT_ISOLATION, TMP_DIRS } from "@millrace/core";
import type { Env } from "@millrace/core";
import { translate } from "@millrace/graph";
import type { JobClient, JobStatus, Pipeline, PipelineExecutor } from "@millrace/graph";
import { JobMaster } from "../job-master/job-master.js";
import { LocalJobClient } from "../job-master/local-job-client.js";
import { InThreadSlots, type InThreadSlotOptions } from "./in-thread-slots.js";

export interface InThreadOptions extends InThreadSlotOptions {
  readonly env: Env;
  /** Where temporary files, and checkpoints when the job does not say, go; absolute. Each job deletes its own. */
  readonly temporaryDirectory: string;
  /** Win over what the program sets. */
  readonly configOverrides?: Readonly<Record<string, unknown>>;
  /** Told of every job that is started. */
  readonly onJob?: (job: JobMaster) => void;
  readonly onStatus?: (status: JobStatus, job: JobMaster) => void;
}

/** Runs pipelines in the caller's thread, any number of them, at the same time if need be. */
export class InThreadExecutor implements PipelineExecutor {
  readonly configOverrides: Readonly<Record<string, unknown>>;
  readonly #options: InThreadOptions;

  constructor(options: InThreadOptions) {
    this.#options = options;
    this.configOverrides = options.configOverrides ?? {};
  }

  async execute(pipeline: Pipeline): Promise<JobClient> {
    const { env, temporaryDirectory, onJob, onStatus } = this.#options;
    const isolation = pipeline.config.get(SLOT_ISOLATION);
    if (isolation !== "inline") throw noWorkersHere(isolation);
    const jobGraph = translate(pipeline, { jobId: newJobId(env) });
    const decoder = new BatchDecoder();
    const job: JobMaster = new JobMaster({
      env, jobGraph, slots: new InThreadSlots(env, pipeline.graph, this.#options),
      checkpointDirectory: `${env.fs.resolve(pipeline.config.get(CHECKPOINTING_DIRECTORY) ?? `${temporaryDirectory}/checkpoints`)}/${jobGraph.jobId}`,
      temporaryDirectory: `${env.fs.resolve(pipeline.config.get(TMP_DIRS) ?? temporaryDirectory)}/${jobGraph.jobId}`,
      onCollected: (collectId, subtaskIndex, batch) => {
        const take = pipeline.collectors?.get(collectId);
        if (take === undefined) throw new MillraceError({ code: "COLLECTOR_UNKNOWN", message: `nobody in the program collects "${collectId}"` });
        const { values, count } = decoder.decode(batch);
        take(values.slice(0, count), subtaskIndex);
      },
      onStatus: (status) => onStatus?.(status, job),
    });
    onJob?.(job);
    job.start();
    return new LocalJobClient(jobGraph.jobId, job);
  }
}

function noWorkersHere(isolation: string): MillraceError {
  return new MillraceError({
    code: "SLOT_ISOLATION_UNAVAILABLE", message: `${SLOT_ISOLATION.key} is "${isolation}", and this job runs in its program's own thread`,
    hint: "worker threads and processes re-run the job's module: start it with `millrace run job.ts`, or with runJob() from another program", location: { option: SLOT_ISOLATION.key },
  });
}

/** 32 hex digits from the environment's random numbers. */
export function newJobId(env: Pick<Env, "rng">): string {
  return Array.from({ length: 32 }, () => Math.floor(env.rng.next() * 16).toString(16)).join("");
}
