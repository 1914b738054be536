import type { AccumulatorValue } from "@millrace/core";
import type { ExecutionState, JobGraph, JobStatus } from "@millrace/graph";
import type { CheckpointsView } from "../checkpoint/checkpoint-statistics.js";
import type { RescalingView } from "../scheduler/adaptive-scheduler.js";
import type { ExceptionHistoryEntry } from "./exception-history.js";

/** Where a task runs. */
export interface TaskLocation {
  readonly taskManagerId: string;
  /** `host:port`, as it is shown; not for connecting. */
  readonly endpoint: string;
}

/** One attempt of one subtask. */
export interface ExecutionView {
  readonly subtaskIndex: number;
  readonly attemptNumber: number;
  readonly state: ExecutionState;
  /** When each state was entered, by wall clock; states it never was in are absent. */
  readonly timestamps: Readonly<Partial<Record<ExecutionState, number>>>;
  readonly location: TaskLocation;
  /** As last reported, under Flink's names. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly accumulators: Readonly<Record<string, AccumulatorValue>>;
}

/** One vertex: per subtask the current attempt and the earlier ones, oldest first. */
export interface VertexView {
  readonly vertexId: string;
  readonly subtasks: readonly { readonly current: ExecutionView; readonly earlier: readonly ExecutionView[] }[];
}

/** A job as it stands, everything that is shown of it. Plain data: may be cloned, sent and kept. Flink: ExecutionGraphInfo. */
export interface JobView {
  readonly jobGraph: JobGraph;
  readonly status: JobStatus;
  readonly statusTimestamps: Readonly<Partial<Record<JobStatus, number>>>;
  /** Milliseconds spent in each state, the current one included. */
  readonly statusDurationsMs: Readonly<Partial<Record<JobStatus, number>>>;
  readonly nowMs: number;
  readonly restarts: number;
  /** Changes of parallelism by the adaptive scheduler. */
  readonly rescales: number;
  /** `undefined` without the adaptive scheduler. */
  readonly rescaling: RescalingView | undefined;
  /** Of the last restart or rescale: from when tasks began to stop until all ran again. */
  readonly lastRestartDurationMs: number | undefined;
  /** One per vertex of the job graph, in its order. */
  readonly vertices: readonly VertexView[];
  /** Merged over all subtasks. */
  readonly accumulators: Readonly<Record<string, unknown>>;
  /** Newest last. */
  readonly exceptions: readonly ExceptionHistoryEntry[];
  readonly checkpoints: CheckpointsView;
}
