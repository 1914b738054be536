/** Flink's job states. The last three are final. */
export type JobStatus =
  | "INITIALIZING" | "CREATED" | "RUNNING" | "RESTARTING" | "FAILING" | "CANCELLING" | "SUSPENDED" | "FINISHED" | "CANCELED" | "FAILED";

/** Flink's task states. */
export type ExecutionState = "CREATED" | "SCHEDULED" | "DEPLOYING" | "INITIALIZING" | "RUNNING" | "FINISHED" | "CANCELING" | "CANCELED" | "FAILED";

/** What `execute()` resolves with. Flink: JobExecutionResult. */
export interface JobExecutionResult {
  readonly jobId: string;
  readonly jobName: string;
  readonly netRuntimeMs: number;
  readonly accumulators: Readonly<Record<string, unknown>>;
}

/** Figures of a running job, summed or minimised over its subtasks. */
export interface JobMetrics {
  readonly status: JobStatus;
  readonly restarts: number;
  /** Changes of parallelism by the adaptive scheduler. */
  readonly rescales: number;
  /** Of the last restart or rescale: from when tasks began to stop until all ran again. */
  readonly lastRestartDurationMs: number | undefined;
  readonly checkpointsCompleted: number;
  readonly lastCheckpointDurationMs: number | undefined;
  /** Bytes that were written for the last completed checkpoint. */
  readonly lastCheckpointSize: number | undefined;
  /** Bytes of all state that it refers to: more, when it is incremental. */
  readonly lastCheckpointFullSize: number | undefined;
  readonly vertices: readonly VertexMetrics[];
}
/** Figures of one task of a job, by subtask. */
export interface VertexMetrics {
  readonly vertexId: string;
  readonly name: string;
  readonly parallelism: number;
  /** By Flink's metric name (numRecordsIn, numRecordsOut, busyTimeMsPerSecond, currentInputWatermark, …), one value per subtask. */
  readonly subtasks: readonly Readonly<Record<string, number>>[];
}

/** A handle on a submitted job. */
export interface JobClient {
  readonly jobId: string;
  getJobStatus(): Promise<JobStatus>;
  /** Stops the job without a savepoint; resolves when it has stopped. */
  cancel(): Promise<void>;
  /** Resolves when the job finished; rejects with `JOB_FAILED` (cause: the first failure) or `JOB_CANCELED`. */
  getJobExecutionResult(): Promise<JobExecutionResult>;
  /** Accumulators as they stand now. */
  getAccumulators(): Promise<Readonly<Record<string, unknown>>>;
  getMetrics(): Promise<JobMetrics>;
  /** Triggers a checkpoint now; resolves with its path once complete. */
  triggerCheckpoint(): Promise<string>;
  /**
   * Takes a savepoint into a new directory below `directory` (default: `execution.checkpointing.savepoint-dir`); resolves with its path once complete.
   * The job goes on. @throws `SAVEPOINT_DIRECTORY_MISSING`, `SAVEPOINT_DIRECTORY_INVALID`, `SAVEPOINT_IN_BATCH`, `CHECKPOINT_FAILED`, `JOB_NOT_RUNNING`
   */
  triggerSavepoint(directory?: string, formatType?: SavepointFormat): Promise<string>;
  /**
   * Stops the job behind a savepoint: nothing is processed after it, and what it holds ready is committed; the job is FINISHED. Resolves with the
   * savepoint's path. When the savepoint fails, the job goes on.
   * @throws what {@link triggerSavepoint} throws, and `STOP_FAILED` when the savepoint is complete but the job failed while it stopped
   */
  stopWithSavepoint(options?: StopOptions): Promise<string>;
}

/** How a job is stopped behind a savepoint. */
export interface StopOptions {
  /** Where the savepoint's directory is made; by default `execution.checkpointing.savepoint-dir`. */
  readonly directory?: string | undefined;
  /** The sources end first, so that all windows and timers fire: for a job that is not to go on. */
  readonly drain?: boolean | undefined;
  /** Default CANONICAL. */
  readonly formatType?: SavepointFormat | undefined;
}

/**
 * `CANONICAL`: every later release reads it, whatever the state backend. `NATIVE`: in the format of checkpoints, as fast as they are, for the same release
 * and backend. Either holds all that it needs. Flink: SavepointFormatType.
 */
export type SavepointFormat = "CANONICAL" | "NATIVE";

/** Told of a job's life on the client's side. Flink: JobListener. */
export interface JobListener {
  onJobSubmitted?(client: JobClient | undefined, error: unknown): void;
  onJobExecuted?(result: JobExecutionResult | undefined, error: unknown): void;
}
