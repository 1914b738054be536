import type { LogSink } from "@millrace/core";
import type { JobExecutionResult, JobMetrics, JobStatus, SavepointFormat, StopOptions } from "@millrace/graph";
import type { JobSubmission } from "./dispatcher.js";
import type { ParallelismBounds } from "../scheduler/resource-requirements.js";
import type { JobSummary } from "./managed-job.js";

/** What a JobManager says of itself to a client that it takes in. Protocol version 1 says nothing. */
export interface JobManagerAbout {
  /** Another JobManager goes on with the jobs when this one is lost. */
  readonly highAvailability: boolean;
}

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
  /** Follows a job that was submitted before, as {@link SubmitJob.attached} does: the client has lost the leader it was attached to. */
  readonly attachJob: { readonly ask: { readonly jobId: string; readonly cancelOnExit: boolean }; readonly answer: undefined };
  readonly overview: { readonly ask: undefined; readonly answer: ClusterOverview };
  readonly listJobs: { readonly ask: undefined; readonly answer: readonly JobSummary[] };
  readonly jobStatus: { readonly ask: JobRef; readonly answer: JobStatus };
  /** Answered when the job has stopped. */
  readonly cancelJob: { readonly ask: JobRef; readonly answer: undefined };
  readonly jobResult: { readonly ask: JobRef; readonly answer: JobExecutionResult };
  readonly jobMetrics: { readonly ask: JobRef; readonly answer: JobMetrics };
  readonly jobAccumulators: { readonly ask: JobRef; readonly answer: Readonly<Record<string, unknown>> };
  readonly triggerCheckpoint: { readonly ask: JobRef & { readonly full?: boolean }; readonly answer: string };
  readonly triggerSavepoint: { readonly ask: JobRef & { readonly directory: string | undefined; readonly formatType?: SavepointFormat | undefined }; readonly answer: string };
  /** Answered when the job has finished. Asked again under the same id, also of another leader, it is the same stop. */
  readonly stopWithSavepoint: { readonly ask: JobRef & StopOptions & { readonly requestId?: string }; readonly answer: string };
  readonly disposeSavepoint: { readonly ask: { readonly path: string }; readonly answer: undefined };
  readonly resourceRequirements: { readonly ask: JobRef; readonly answer: JobRequirements };
  readonly rescaleJob: { readonly ask: RescaleJob; readonly answer: undefined };
  readonly lastCheckpointPath: { readonly ask: JobRef; readonly answer: string | undefined };
}

/** A job by its id, or by the beginning of it. */
export interface JobRef {
  readonly jobId: string;
}

/** What a job asks for, by vertex, and what it has. */
export type JobRequirements = readonly (ParallelismBounds & { readonly vertexId: string; readonly name: string; readonly parallelism: number })[];

export interface RescaleJob extends JobRef {
  /** Of every vertex that can have another one. */
  readonly parallelism?: number;
  /** By a vertex's id or name: only of those. */
  readonly vertices?: Readonly<Record<string, number>>;
}

/** What an attached client is told. */
export interface ToClient {
  readonly collected: { readonly jobId: string; readonly collectId: string; readonly subtaskIndex: number; readonly batch: ArrayBuffer };
  readonly log: { readonly jobId: string; readonly level: Parameters<LogSink["write"]>[0]; readonly line: string };
  readonly status: { readonly jobId: string; readonly status: JobStatus };
}
