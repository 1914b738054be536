import {
  CHECKPOINTING_RETAINED, Configuration, SAVEPOINT_PATH, allOptions, decodeValue, encodeValue, isMillraceError, type Env,
} from "@millrace/core";
import type { JobExecutionResult, JobGraph } from "@millrace/graph";
import { fromBase64, toBase64 } from "../checkpoint/base64.js";
import type { CheckpointStore } from "../checkpoint/checkpoint-store.js";
import { isRetained } from "../checkpoint/retention.js";
import { finishDiscards } from "../high-availability/finish-discards.js";
import type { RecoveryStores } from "../high-availability/high-availability-services.js";
import { JobCheckpoints } from "../high-availability/job-checkpoints.js";
import type { JobResult } from "../high-availability/job-result-store.js";
import type { LeaderTerm } from "../high-availability/leader-term.js";
import { jobCanceled, jobFailed, type JobEnd } from "../job-master/job-end.js";
import type { ResourceRequirements } from "../scheduler/resource-requirements.js";
import type { JobSubmission } from "./dispatcher.js";

export interface JobPersistenceInit {
  readonly env: Pick<Env, "fs" | "log">;
  readonly stores: RecoveryStores;
  readonly term: LeaderTerm;
  /** Absolute directory of a job's checkpoints. */
  readonly checkpointDirectory: (jobGraph: JobGraph) => string;
}

/** Attempts of each leader have numbers of their own; no leader starts a job so often. */
const ATTEMPTS_PER_LEADER = 1_000_000;
/** Larger accumulators are not kept with a result. */
const MAX_ACCUMULATORS = 64 * 1024;

/** A plan as the store has it. */
interface StoredPlan {
  /** Core's value codec, base64. */
  readonly submission: string;
  /** Unless they were never changed. */
  readonly requirements?: ResourceRequirements;
}

/** What a leading Dispatcher writes down of its jobs, so that the next one goes on with them, and never with one that has ended. */
export class JobPersistence {
  readonly #init: JobPersistenceInit;

  constructor(init: JobPersistenceInit) {
    this.#init = init;
  }

  /**
   * What earlier leaders had accepted and not ended. Begins to clean up after what they had ended. A plan that cannot be read is logged and left
   * where it is; the others are not kept waiting by it. Waits while the store is out of reach.
   */
  async recover(): Promise<readonly JobSubmission[]> {
    const { env, stores, term } = this.#init;
    for (const result of await term.persist("the recovery", () => stores.jobResults.dirtyResults())) void this.#cleanUpAfter(result);
    const submissions: JobSubmission[] = [];
    for (const jobId of await term.persist("the recovery", () => stores.executionPlans.jobIds())) {
      if (await term.persist("the recovery", () => stores.jobResults.hasJobResult(jobId))) continue;
      try {
        submissions.push((await this.#plan(jobId))!);
      } catch (error) {
        env.log.write("error", `job ${jobId} is not recovered: ${(error as Error).message}`);
      }
    }
    return submissions;
  }

  /** The first attempt of a job that an earlier leader had accepted has a number above all of theirs. */
  get firstAttempt(): number {
    return this.#init.term.fencingToken * ATTEMPTS_PER_LEADER;
  }

  /** The job will be run, by this leader or another, once this has resolved. @throws `LEADERSHIP_LOST`, `HA_UNAVAILABLE` */
  async accept(submission: JobSubmission): Promise<void> {
    const { jobGraph, artifact, source, args } = submission;
    await this.#init.stores.executionPlans.put({ jobId: jobGraph.jobId, plan: { submission: toBase64(encodeValue({ jobGraph, artifact, source, args })) } satisfies StoredPlan });
  }

  /** The next leader rescales the job to these bounds once this has resolved. */
  async requirements(jobId: string, requirements: ResourceRequirements): Promise<void> {
    const { stores, term } = this.#init;
    await term.persist(`the resource requirements of job ${jobId}`, async () => {
      const stored = await stores.executionPlans.get(jobId);
      if (stored !== undefined) await stores.executionPlans.put({ jobId, plan: { ...(stored.plan as StoredPlan), requirements } satisfies StoredPlan });
    });
  }

  checkpoints(jobGraph: JobGraph, env: Pick<Env, "fs" | "log">): CheckpointStore {
    const { stores, term } = this.#init;
    return new JobCheckpoints({ env, stores, term, jobId: jobGraph.jobId, retained: configOf(jobGraph).get(CHECKPOINTING_RETAINED) });
  }

  /** Resolves when no leader will run the job again. */
  async decided(jobGraph: JobGraph, startTimeMs: number, endTimeMs: number, end: JobEnd): Promise<void> {
    const { jobId, jobName } = jobGraph;
    const accumulators = end.result === undefined ? "" : encoded(end.result.accumulators);
    const result: JobResult = {
      jobId, jobName, state: end.status, startTimeMs, endTimeMs, ...(end.error === undefined ? {} : { error: end.error }), stop: end.stop,
      ...(accumulators !== "" && accumulators.length <= MAX_ACCUMULATORS ? { accumulators } : {}),
    };
    await this.#init.term.persist(`the end of job ${jobId}`, () => this.#init.stores.jobResults.createDirtyResult(result));
  }

  /** A job has ended and its files are gone or retained: forgets everything else of it. */
  async cleaned(jobId: string): Promise<void> {
    const { stores, term } = this.#init;
    await term.persist(`the cleanup of job ${jobId}`, async () => {
      await stores.cleanupJob(jobId);
      await stores.jobResults.markResultAsClean(jobId);
    });
  }

  /** How a job ended, under whichever leader. @throws `HA_UNAVAILABLE` */
  async result(jobId: string): Promise<JobResult | undefined> {
    return this.#init.stores.jobResults.get(jobId);
  }

  async #plan(jobId: string): Promise<JobSubmission | undefined> {
    const { stores, term } = this.#init;
    const unreadable = (error: unknown): boolean => isMillraceError(error) && error.code === "HA_PLAN_UNREADABLE";
    const stored = await term.persist(`the plan of job ${jobId}`, () => stores.executionPlans.get(jobId), (error) => !unreadable(error));
    if (stored === undefined) return undefined;
    const { submission, requirements } = stored.plan as StoredPlan;
    return { ...(decodeValue(fromBase64(submission)) as JobSubmission), ...(requirements === undefined ? {} : { requirements }) };
  }

  /** A leader ended between a job's end and the end of its cleanup. */
  async #cleanUpAfter({ jobId, state }: JobResult): Promise<void> {
    const { env, stores, term, checkpointDirectory } = this.#init;
    try {
      const plan = await this.#plan(jobId);
      if (plan !== undefined) {
        const pointers = stores.checkpointPointers(jobId);
        const known = await term.persist(`the cleanup of job ${jobId}`, () => pointers.all());
        const config = configOf(plan.jobGraph);
        const directory = checkpointDirectory(plan.jobGraph);
        const restoredFrom = config.get(SAVEPOINT_PATH);
        const isOutside = restoredFrom === undefined || !env.fs.resolve(restoredFrom).startsWith(`${directory}/`);
        if (!isRetained(config, state, known.some(({ external }) => !external)) && isOutside) {
          const claimed = known.filter((pointer) => pointer.claimed === true);
          await term.persist(`the cleanup of job ${jobId}`, () => pointers.change([], known.map(({ checkpointId }) => checkpointId), claimed));
          await env.fs.delete(directory);
        }
        await finishDiscards(env.fs, pointers, await term.persist(`the cleanup of job ${jobId}`, () => pointers.discards()));
      }
    } catch (error) {
      env.log.write("warn", `what job ${jobId} left behind could not be deleted: ${(error as Error).message}`);
    }
    await this.cleaned(jobId).catch((error: Error) => env.log.write("warn", `job ${jobId} could not be cleaned up: ${error.message}`));
  }
}

/** What a client that waits for a job is told when an earlier leader ended it. @throws `JOB_FAILED`, `JOB_CANCELED` */
export function executionResult({ jobId, jobName, state, startTimeMs, endTimeMs, error, accumulators }: JobResult): JobExecutionResult {
  if (state === "CANCELED") throw jobCanceled(jobName);
  if (state === "FAILED") throw jobFailed(jobName, 0, error ?? { name: "Error", message: "the cause is not known" });
  return {
    jobId, jobName, netRuntimeMs: endTimeMs - startTimeMs,
    accumulators: accumulators === undefined ? {} : (decodeValue(fromBase64(accumulators)) as Readonly<Record<string, unknown>>),
  };
}

function configOf(jobGraph: JobGraph): Configuration {
  return Configuration.of(jobGraph.config, allOptions);
}

/** Accumulators may hold what cannot be encoded; a result without them is better than none. */
function encoded(accumulators: Readonly<Record<string, unknown>>): string {
  try {
    return toBase64(encodeValue(accumulators));
  } catch {
    return "";
  }
}
