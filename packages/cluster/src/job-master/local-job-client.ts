import type { JobClient, JobExecutionResult, JobMetrics, JobStatus, SavepointFormat, StopOptions } from "@millrace/graph";
import type { JobMaster } from "./job-master.js";

/** A handle on a job whose JobMaster is in this thread. */
export class LocalJobClient implements JobClient {
  readonly jobId: string;
  readonly #job: JobMaster;

  constructor(jobId: string, job: JobMaster) {
    this.jobId = jobId;
    this.#job = job;
  }

  async getJobStatus(): Promise<JobStatus> {
    return this.#job.status;
  }

  async cancel(): Promise<void> {
    this.#job.cancel();
    await this.#job.result.catch(() => undefined);
  }

  getJobExecutionResult(): Promise<JobExecutionResult> {
    return this.#job.result;
  }

  async getAccumulators(): Promise<Readonly<Record<string, unknown>>> {
    return this.#job.accumulators();
  }

  async getMetrics(): Promise<JobMetrics> {
    return this.#job.metrics();
  }

  triggerCheckpoint(): Promise<string> {
    return this.#job.triggerCheckpoint();
  }

  triggerSavepoint(directory?: string, formatType?: SavepointFormat): Promise<string> {
    return this.#job.triggerSavepoint(directory, formatType);
  }

  stopWithSavepoint(options?: StopOptions): Promise<string> {
    return this.#job.stopWithSavepoint(options);
  }
}
