import type { LogSink } from "@millrace/core";
import type { JobExecutionResult, JobMetrics, JobStatus, StopOptions } from "@millrace/graph";
import type { JobSubmission } from "./dispatcher.js";
import type { JobSummary } from "./managed-job.js";

/** What a cluster consists of right now. */
export interface ClusterOverview {
  readonly version: string;
  readonly taskManagers: readonly { readonly taskManagerId: string; readonly host: string; readonly numberOfSlots: number; readonly freeSlots: number; readonly processId: number }[];
  readonly jobsRunning: number;
}

/** A submission over the wire. */
export interface SubmitJob extends JobSubmission {
  /** The client follows the job: it gets what the job prints, logs and collects. */
  readonly attached: boolean;
  /** The job is cancelled when the client goes away before it has ended. Flink: `execution.shutdown-on-attached-exit`. */
  readonly cancelOnExit: boolean;
}

/** Requests of a client, with what they are answered with. */
export interface ClientMethods {
  readonly hasBlob: { readonly ask: { readonly key: string }; readonly answer: boolean };
  /** The last piece makes the blob. */
  readonly putBlob: { readonly ask: { readonly key: string; readonly offset: number; readonly bytes: Uint8Array; readonly last: boolean }; readonly answer: undefined };
  readonly submitJob: { readonly ask: SubmitJob; readonly answer: { readonly jobId: string } };
  readonly overview: { readonly ask: undefined; readonly answer: ClusterOverview };
  readonly listJobs: { readonly ask: undefined; readonly answer: readonly JobSummary[] };
  readonly jobStatus: { readonly ask: JobRef; readonly answer: JobStatus };
  /** Answered when the job has stopped. */
  readonly cancelJob: { readonly ask: JobRef; readonly answer: undefined };
  readonly jobResult: { readonly ask: JobRef; readonly answer: JobExecutionResult };
  readonly jobMetrics: { readonly ask: JobRef; readonly answer: JobMetrics };
  readonly jobAccumulators: { readonly ask: JobRef; readonly answer: Readonly<Record<string, unknown>> };
  readonly triggerCheckpoint: { readonly ask: JobRef & { readonly full?: boolean }; readonly answer: string };
  readonly triggerSavepoint: { readonly ask: JobRef & { readonly directory: string | undefined }; readonly answer: string };
  /** Answered when the job has finished. */
  readonly stopWithSavepoint: { readonly ask: JobRef & StopOptions; readonly answer: string };
  readonly disposeSavepoint: { readonly ask: { readonly path: string }; readonly answer: undefined };
  readonly lastCheckpointPath: { readonly ask: JobRef; readonly answer: string | undefined };
}

/** A job by its id, or by the beginning of it. */
export interface JobRef {
  readonly jobId: string;
}

/** What an attached client is told. */
export interface ToClient {
  readonly collected: { readonly jobId: string; readonly collectId: string; readonly subtaskIndex: number; readonly batch: ArrayBuffer };
  readonly log: { readonly jobId: string; readonly level: Parameters<LogSink["write"]>[0]; readonly line: string };
  readonly status: { readonly jobId: string; readonly status: JobStatus };
}
