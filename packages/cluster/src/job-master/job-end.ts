import { MillraceError, deserializeError, userPlace, type SerializedError } from "@millrace/core";
import type { JobExecutionResult, JobStatus } from "@millrace/graph";

/** The last one is final only for this JobMaster: another leader goes on. */
export const finalStates: ReadonlySet<JobStatus> = new Set(["FINISHED", "CANCELED", "FAILED", "SUSPENDED"]);

/** How a job ended. */
export interface JobEnd {
  readonly status: "FINISHED" | "CANCELED" | "FAILED";
  /** Of a job that failed. */
  readonly error?: SerializedError;
  /** Of one that finished. */
  readonly result?: JobExecutionResult;
  /** The stop behind a savepoint that it finished by. */
  readonly stop?: CompletedStop | undefined;
}

/** A job was stopped behind a savepoint. */
export interface CompletedStop {
  /** The savepoint's directory. */
  readonly path: string;
  /** Of who asked for it. */
  readonly requestId?: string | undefined;
}

/** In one line: the operator or task, what happened, and where in the user's code it began. */
export function describeFailure(taskName: string | undefined, error: SerializedError): string {
  const { operator, subtask } = error.location ?? {};
  const named = operator !== undefined && error.message.includes(operator);
  const where = operator === undefined ? `${taskName ?? "the job"} failed: ` : named ? "" : `operator "${operator}" (subtask ${subtask ?? 0}) failed: `;
  const place = userPlace(error);
  return `${where}${error.message}${place === undefined || error.message.includes(place) ? "" : ` (at ${place})`}`;
}

/** What waits for a job's result is told when it was cancelled. */
export function jobCanceled(jobName: string): MillraceError {
  return new MillraceError({ code: "JOB_CANCELED", message: `the job "${jobName}" was cancelled` });
}

/** And when it failed. */
export function jobFailed(jobName: string, restarts: number, cause: SerializedError): MillraceError {
  const after = restarts > 0 ? ` after ${restarts} restart${restarts > 1 ? "s" : ""}` : "";
  return new MillraceError({ code: "JOB_FAILED", message: `the job "${jobName}" failed${after}`, cause: deserializeError(cause) });
}

/** Something was asked of a job that has ended. */
export function ended(): MillraceError {
  return new MillraceError({ code: "JOB_NOT_RUNNING", message: "the job has ended" });
}

/** What waits for a job's result is told when its JobManager no longer leads. */
export function jobSuspended(jobName: string): MillraceError {
  return new MillraceError({
    code: "JOB_SUSPENDED", message: `the job "${jobName}" was suspended: this JobManager no longer leads`, hint: "the next leader goes on with it", recovery: "retry",
  });
}

/** Several regions lose their slots when one TaskManager is lost: that is one failure. */
export function isSameLoss(a: SerializedError, b: SerializedError): boolean {
  return a.code === "TASK_MANAGER_LOST" && b.code === a.code && b.message === a.message;
}
