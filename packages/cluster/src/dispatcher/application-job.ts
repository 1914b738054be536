import { isMillraceError, type Clock } from "@millrace/core";
import type { JobClient, JobExecutionResult, JobMetrics, JobStatus, SavepointFormat, StopOptions } from "@millrace/graph";
import type { JobResult } from "../high-availability/job-result-store.js";
import { ended } from "../job-master/job-end.js";
import type { JobSubmission } from "./dispatcher.js";
import type { JobManager } from "./job-manager.js";
import { executionResult } from "./job-persistence.js";
import type { JobObserver, ManagedJob } from "./managed-job.js";

export interface ApplicationJobInit {
  readonly clock: Clock;
  /** The job's artifact, which the submission names. */
  readonly artifact: Uint8Array;
  readonly submission: JobSubmission;
  readonly observer: JobObserver;
}

/** The job under a leader in this process, or how an earlier leader, perhaps in another one, has ended it. */
type Found = { readonly job: ManagedJob } | { readonly result: JobResult };

interface Waiting {
  readonly found: Promise<Found>;
  readonly resolve: (found: Found) => void;
  readonly reject: (error: unknown) => void;
}

const RETRY_MS = 500;
const UNDECIDED: ReadonlySet<string> = new Set(["LEADERSHIP_LOST", "HA_UNAVAILABLE"]);

/**
 * The one job of a JobManager process in Application mode: submitted by the first leader that finds neither the job nor its result, taken up by the next.
 * As a client it waits, over any number of leaders, for the one in this process. Flink: ApplicationDispatcherBootstrap.
 */
export class ApplicationJob implements JobClient {
  readonly jobId: string;
  readonly #init: ApplicationJobInit;
  #leader: JobManager | undefined;
  #waiting: Waiting = newWaiting();
  #isFound = false;

  constructor(init: ApplicationJobInit) {
    this.#init = init;
    this.jobId = init.submission.jobGraph.jobId;
  }

  /** This process leads, or no longer does. */
  leaderChanged(leader: JobManager | undefined): void {
    this.#leader = leader;
    if (this.#isFound) this.#waiting = newWaiting();
    this.#isFound = false;
    if (leader !== undefined) void this.#find(leader);
  }

  /** Resolves when this process has led for the first time: the program may go on. @throws what the submission throws */
  async started(): Promise<void> {
    await this.#waiting.found;
  }

  async getJobExecutionResult(): Promise<JobExecutionResult> {
    for (;;) {
      const found = await this.#waiting.found;
      if ("result" in found) return executionResult(found.result);
      try {
        return await found.job.master.result;
      } catch (error) {
        if (!isMillraceError(error) || error.code !== "JOB_SUSPENDED") throw error;
      }
    }
  }

  async getJobStatus(): Promise<JobStatus> {
    const found = await this.#waiting.found;
    return "result" in found ? found.result.state : found.job.master.status;
  }

  async cancel(): Promise<void> {
    const found = await this.#waiting.found;
    if ("result" in found) return;
    found.job.master.cancel();
    await found.job.master.result.catch(() => undefined);
  }

  async getAccumulators(): Promise<Readonly<Record<string, unknown>>> {
    const found = await this.#waiting.found;
    return "result" in found ? executionResult(found.result).accumulators : found.job.master.accumulators();
  }

  async getMetrics(): Promise<JobMetrics> {
    return (await this.#job()).master.metrics();
  }

  async triggerCheckpoint(): Promise<string> {
    return (await this.#job()).master.triggerCheckpoint();
  }

  async triggerSavepoint(directory?: string, formatType?: SavepointFormat): Promise<string> {
    return (await this.#job()).master.triggerSavepoint(directory, formatType);
  }

  async stopWithSavepoint(options?: StopOptions): Promise<string> {
    return (await this.#job()).master.stopWithSavepoint(options);
  }

  /** @throws `JOB_NOT_RUNNING` when another leader has ended it */
  async #job(): Promise<ManagedJob> {
    const found = await this.#waiting.found;
    if ("job" in found) return found.job;
    throw ended();
  }

  async #find(leader: JobManager): Promise<void> {
    while (this.#leader === leader) {
      try {
        const found = await this.#start(leader);
        if (this.#leader !== leader) return;
        this.#isFound = true;
        return this.#waiting.resolve(found);
      } catch (error) {
        const isUndecided = isMillraceError(error) && UNDECIDED.has(error.code);
        if (!isUndecided) return this.#waiting.reject(error);
        await new Promise<void>((resolve) => this.#init.clock.setTimer(RETRY_MS, resolve));
      }
    }
  }

  async #start({ dispatcher, blobs }: JobManager): Promise<Found> {
    const { artifact, submission, observer } = this.#init;
    if (dispatcher.idsLike(this.jobId).includes(this.jobId)) {
      const job = dispatcher.job(this.jobId);
      job.observe(observer);
      return { job };
    }
    const result = await dispatcher.resultOfEarlier(this.jobId);
    if (result !== undefined) return { result };
    await blobs.put(submission.artifact, artifact);
    return { job: await dispatcher.submit(submission, observer) };
  }
}

function newWaiting(): Waiting {
  let settle!: Pick<Waiting, "resolve" | "reject">;
  const found = new Promise<Found>((resolve, reject) => (settle = { resolve, reject }));
  found.catch(() => undefined);
  return { found, ...settle };
}
