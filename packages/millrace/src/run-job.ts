import type { RunJobOptions, SubmittedJob } from "@millrace/cli/run-job";
import type { UrlLike } from "@millrace/core";
import type { JobExecutionResult } from "@millrace/graph";

export type { RunJobOptions, SubmittedJob };

/**
 * Runs a job's module, TypeScript or JavaScript, on worker threads: `await runJob(new URL("./job.ts", import.meta.url))`.
 *
 * Only that module is run again in the slots, never the caller. Resolves when the job finished.
 * @throws `JOB_FAILED`, `JOB_CANCELED`, and everything planning can throw (`JOB_DOES_NOT_COMPILE`, `JOB_NOT_DEFINED`, `CONFIG_UNKNOWN_KEY`, …)
 */
export async function runJob(job: UrlLike | string, options: RunJobOptions = {}): Promise<JobExecutionResult> {
  return (await import("@millrace/cli/run-job")).runJob(job, options);
}

/** Like {@link runJob}, but resolves with a handle as soon as the job runs. */
export async function submitJob(job: UrlLike | string, options: RunJobOptions = {}): Promise<SubmittedJob> {
  return (await import("@millrace/cli/run-job")).submitJob(job, options);
}
