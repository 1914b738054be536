import { anything, array, boolean, nullable, number, object, oneOf, optional, record, text, type Infer, type Schema } from "./schema.js";

/** Flink's answers about jobs, vertices and attempts, key by key. */
export const jobStatus = oneOf("INITIALIZING", "CREATED", "RUNNING", "RESTARTING", "FAILING", "CANCELLING", "SUSPENDED", "RECONCILING", "FINISHED", "CANCELED", "FAILED");
export const executionStates = ["CREATED", "SCHEDULED", "DEPLOYING", "INITIALIZING", "RUNNING", "FINISHED", "CANCELING", "CANCELED", "FAILED", "RECONCILING"] as const;
export const executionState = oneOf(...executionStates);

const ioMetrics = object({
  "read-bytes": number, "read-bytes-complete": boolean, "write-bytes": number, "write-bytes-complete": boolean, "read-records": number, "read-records-complete": boolean,
  "write-records": number, "write-records-complete": boolean, "accumulated-backpressured-time": number, "accumulated-idle-time": number, "accumulated-busy-time": number,
});
export type IoMetrics = Infer<typeof ioMetrics>;

const spread = object({ min: number, max: number, avg: number, sum: number, median: number, p25: number, p75: number, p95: number });
export type Spread = Infer<typeof spread>;
const aggregated = object({ metrics: record(spread), "status-duration": record(spread) });

export const jobIds = object({ jobs: array(object({ id: text, status: jobStatus })) });

export const jobOverview = object({
  jid: text, name: text, jobType: oneOf("STREAMING", "BATCH"), schedulerType: text, "start-time": number, "end-time": number, duration: number, state: jobStatus,
  "last-modification": number, "pending-operators": number,
  tasks: object({
    total: number, created: number, scheduled: number, deploying: number, running: number, finished: number, canceling: number, canceled: number, failed: number,
    reconciling: number, initializing: number,
  }),
});
export const jobsOverview = object({ jobs: array(jobOverview) });

const planNode = object({
  id: text, operator: text, parallelism: number, operator_strategy: text, description: text, optimizer_properties: record(text),
  inputs: optional(array(object({ id: text, num: number, exchange: text, ship_strategy: text }))),
});
export const plan = object({ jid: text, name: text, type: oneOf("STREAMING", "BATCH"), nodes: array(planNode) });
export const jobPlanAnswer = object({ plan });

export const jobDetails = object({
  jid: text, "application-id": text, name: text, isStoppable: boolean, state: jobStatus, "job-type": oneOf("STREAMING", "BATCH"), schedulerType: text, "start-time": number,
  "end-time": number, duration: number, maxParallelism: number, now: number, timestamps: record(number),
  vertices: array(object({
    id: text, slotSharingGroupId: text, name: text, maxParallelism: number, parallelism: number, status: executionState, "start-time": number, "end-time": number,
    duration: number, tasks: record(number), metrics: ioMetrics,
  })),
  "status-counts": record(number), plan, "pending-operators": number,
});

export const jobStatusAnswer = object({ status: jobStatus });

export const jobConfig = object({
  jid: text, name: text,
  "execution-config": object({ "restart-strategy": text, "job-parallelism": number, "object-reuse-mode": boolean, "user-config": record(text) }),
});

const userAccumulator = object({ name: text, type: text, value: text });
export type UserAccumulator = Infer<typeof userAccumulator>;
export const jobAccumulators = object({
  "job-accumulators": array(userAccumulator), "user-task-accumulators": array(userAccumulator), "serialized-user-task-accumulators": record(text),
});

const exceptionInfo = {
  exceptionName: text, stacktrace: text, timestamp: number, failureLabels: record(text), taskName: optional(nullable(text)), endpoint: optional(nullable(text)),
  taskManagerId: optional(nullable(text)),
};
export const jobExceptions = object({
  exceptionHistory: object({
    entries: array(object({ ...exceptionInfo, concurrentExceptions: array(object(exceptionInfo)) })),
    truncated: boolean,
  }),
});

export const executionResult = object({
  status: object({ id: oneOf("IN_PROGRESS", "COMPLETED") }),
  "job-execution-result": optional(object({
    id: text, name: text, "application-status": oneOf("SUCCEEDED", "FAILED", "CANCELED", "UNKNOWN"), "accumulator-results": record(text), "net-runtime": number,
    "application-id": text, "start-time": number, "end-time": number,
    "failure-cause": optional(object({ class: text, "stack-trace": text, "serialized-throwable": text })),
  })),
});

const attempt = {
  subtask: number, status: executionState, attempt: number, endpoint: text, "start-time": number, "end-time": number, duration: number, metrics: ioMetrics,
  "taskmanager-id": text, "status-duration": record(number), start_time: number,
};
export const subtaskAttempt = object(attempt);
export type SubtaskAttempt = Infer<typeof subtaskAttempt>;
export const subtaskDetails = object({ ...attempt, "other-concurrent-attempts": optional(array(object(attempt))) });

export const vertexDetails = object({
  id: text, name: text, parallelism: number, maxParallelism: number, now: number, subtasks: array(subtaskDetails), aggregated,
});

export const subtaskTimes = object({
  id: text, name: text, now: number,
  subtasks: array(object({ subtask: number, endpoint: text, duration: number, timestamps: record(number) })),
});

export const vertexTaskManagers = object({
  id: text, name: text, now: number,
  taskmanagers: array(object({
    endpoint: text, status: executionState, "start-time": number, "end-time": number, duration: number, metrics: ioMetrics, "status-counts": record(number),
    "taskmanager-id": text, aggregated,
  })),
});

export const vertexAccumulators = object({ id: text, "user-accumulators": array(userAccumulator) });
export const subtasksAccumulators = object({
  id: text, parallelism: number,
  subtasks: array(object({ subtask: number, attempt: number, endpoint: text, "user-accumulators": array(userAccumulator) })),
});
export const attemptAccumulators = object({ subtask: number, attempt: number, id: text, "user-accumulators": array(userAccumulator) });

const level = oneOf("ok", "low", "high");
export const backPressure = object({
  status: oneOf("ok", "deprecated"), backpressureLevel: level, "backpressure-level": level, "end-timestamp": number,
  subtasks: array(object({ subtask: number, backpressureLevel: level, "backpressure-level": level, ratio: number, idleRatio: number, busyRatio: number })),
});

/** A frame with what it called: its own `children` are the same again. */
const flameNode = object({ name: text, value: number, children: array(anything as Schema<FlameNode>) });
export interface FlameNode {
  readonly name: string;
  readonly value: number;
  readonly children: readonly FlameNode[];
}
export const flameGraph = object({ endTimestamp: number, data: optional(flameNode) });
