import type { JobGraph, JobStatus } from "@millrace/graph";
import type { LogFile, LogPiece, Profiling, ProfilingRequest, SampledThread, StackSampling, ThreadInfo } from "../../inspection/process-inspection.js";
import type { JobView } from "../../job-master/job-view.js";

export type { LogFile, LogPiece, Profiling, ProfilingRequest, SampledThread, StackSampling, ThreadInfo };

/**
 * All that REST shows and does. The server translates it to Flink's routes and JSON and knows nothing else of the cluster.
 *
 * Everything that goes in and out is plain data, so an implementation may sit behind an RPC. A job, TaskManager or file that does not exist is
 * `JOB_UNKNOWN`, `TASK_MANAGER_UNKNOWN`, `LOG_UNKNOWN` or `ARTIFACT_UNKNOWN`; what this cluster cannot do at all is `NOT_SUPPORTED`.
 * Methods are called in any order, several at a time. Flink: RestfulGateway.
 */
export interface RestGateway {
  /** All jobs, those included that have ended and are still remembered. */
  listJobs(): Promise<readonly JobSummary[]>;
  job(jobId: string): Promise<JobView>;
  /** How a job ended; `undefined` while it runs. */
  jobOutcome(jobId: string): Promise<JobOutcome | undefined>;

  /** Resolves once the job is on its way down. @throws `JOB_NOT_RUNNING` */
  cancelJob(jobId: string): Promise<void>;
  /** Takes a checkpoint now; resolves with its id. */
  triggerCheckpoint(jobId: string, kind: CheckpointKind): Promise<number>;
  /** Resolves with the savepoint's directory. */
  triggerSavepoint(jobId: string, request: SavepointRequest): Promise<string>;
  /** Stops the job behind a savepoint; resolves with its directory once the job has finished. */
  stopWithSavepoint(jobId: string, request: StopRequest): Promise<string>;
  disposeSavepoint(path: string): Promise<void>;
  /** Least and most parallelism per vertex. */
  resourceRequirements(jobId: string): Promise<ResourceRequirements>;
  updateResourceRequirements(jobId: string, requirements: ResourceRequirements): Promise<void>;

  jobManager(): Promise<JobManagerView>;
  taskManagers(): Promise<readonly TaskManagerView[]>;
  taskManager(taskManagerId: string): Promise<TaskManagerView>;
  /** The log files of a TaskManager, or of the JobManager (`undefined`). */
  logs(taskManagerId: string | undefined): Promise<readonly LogFile[]>;
  /** A piece of a log file, by the name that {@link logs} gave; never a path. Empty at the end of the file. */
  readLog(taskManagerId: string | undefined, name: string, offset: number): Promise<LogPiece>;
  threadDump(taskManagerId: string | undefined): Promise<readonly ThreadInfo[]>;
  /** Watches the slots of a job, wherever they are; resolves when that is over. */
  sampleStacks(request: StackSampling): Promise<readonly SampledThread[]>;
  /** Begins to profile a TaskManager, or the JobManager (`undefined`). @throws `PROFILING_RUNS` */
  startProfiling(taskManagerId: string | undefined, request: ProfilingRequest): Promise<Profiling>;
  /** Newest first. */
  profilings(taskManagerId: string | undefined): Promise<readonly Profiling[]>;
  /** A piece of a profiling's file, by the name that {@link profilings} gave. Empty at the end of the file. */
  readProfile(taskManagerId: string | undefined, name: string, offset: number): Promise<LogPiece>;

  /** Uploaded job bundles (Flink: JARs). `undefined`: this cluster takes none. */
  readonly artifacts: ArtifactGateway | undefined;
  /** Ends the whole cluster. Resolves before it is gone. */
  shutDown(): Promise<void>;
}

export interface JobSummary {
  readonly jobId: string;
  readonly name: string;
  readonly runtimeMode: JobGraph["runtimeMode"];
  readonly status: JobStatus;
  readonly startedMs: number;
  /** `undefined` while it runs. */
  readonly endedMs: number | undefined;
  readonly changedMs: number;
  /** Number of current attempts per state. */
  readonly tasks: Readonly<Record<string, number>>;
}

export interface JobOutcome {
  readonly status: Extract<JobStatus, "FINISHED" | "CANCELED" | "FAILED">;
  readonly accumulators: Readonly<Record<string, unknown>>;
  /** Why it failed. */
  readonly failure: { readonly name: string; readonly stack: string } | undefined;
}

export type CheckpointKind = "CONFIGURED" | "FULL" | "INCREMENTAL";

export interface SavepointRequest {
  readonly targetDirectory: string | undefined;
  readonly format: "CANONICAL" | "NATIVE";
  readonly cancelJob: boolean;
}

export interface StopRequest {
  readonly targetDirectory: string | undefined;
  readonly format: "CANONICAL" | "NATIVE";
  readonly drain: boolean;
}

export type ResourceRequirements = Readonly<Record<string, { readonly lowerBound: number; readonly upperBound: number }>>;

export interface JobManagerView {
  readonly version: string;
  /** The commit it was built from; may be unknown. */
  readonly commit: string;
  /** As configured; secrets are masked by the server. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly environment: { readonly runtime: string; readonly architecture: string; readonly options: readonly string[] };
  readonly metrics: Readonly<Record<string, number>>;
}

export interface TaskManagerView {
  readonly id: string;
  /** Where it is reached inside the cluster, as it is shown. */
  readonly path: string;
  readonly dataPort: number;
  readonly lastHeartbeatMs: number;
  readonly slots: number;
  readonly freeSlots: number;
  /** The jobs that hold its slots, one entry per slot. */
  readonly allocatedSlots: readonly { readonly jobId: string; readonly tasks: number }[];
  readonly hardware: { readonly cpuCores: number; readonly physicalMemoryBytes: number; readonly heapBytes: number };
  /** Under Flink's names (`Status.JVM.…`). */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Job bundles that users upload and start. Ids come from here, never from a client. */
export interface ArtifactGateway {
  list(): Promise<readonly ArtifactInfo[]>;
  /** Takes over a complete file that the server received; `name` is its base name, already checked. */
  add(name: string, path: string): Promise<ArtifactInfo>;
  delete(artifactId: string): Promise<void>;
  plan(artifactId: string, run: ArtifactRun): Promise<JobGraph>;
  /** Resolves with the job's id. */
  run(artifactId: string, run: ArtifactRun): Promise<string>;
}

export interface ArtifactInfo {
  readonly id: string;
  readonly name: string;
  readonly uploadedMs: number;
}

export interface ArtifactRun {
  readonly args: readonly string[];
  readonly parallelism: number | undefined;
  readonly jobId: string | undefined;
  readonly savepointPath: string | undefined;
  readonly allowNonRestoredState: boolean;
  readonly config: Readonly<Record<string, string>>;
}
