import type { Env } from "@millrace/core";
import type { JobVertex } from "@millrace/graph";
import type { GeneratedSources } from "../chain/task-error.js";
import type { MetricRegistry } from "../metrics/metric-registry.js";
import type { SlotJob } from "../protocol/deployment.js";
import type { SlotEvent } from "../protocol/messages.js";
import type { SourceOperator } from "../source/source-operator.js";
import type { OperatorChain } from "./operator-chain.js";
import type { TaskInput } from "./task-input.js";
import type { Task } from "./task.js";

/** What a task knows of its slot. */
export interface TaskSetting {
  readonly env: Env;
  readonly epoch: number;
  readonly job: SlotJob;
  readonly vertex: JobVertex;
  /** How long a failed task may take to close what it has open. */
  readonly cancellationTimeoutMs: number;
  wake(task: Task): void;
  /** Calls the task's `flushIdle` when the slot has nothing else to do, and soon in any case. */
  flushWhenIdle(task: Task): void;
  send(event: SlotEvent, transfer?: ArrayBuffer[]): void;
  log(level: "print" | "info" | "warn" | "error", line: string): void;
  /** The task has reached a final state. */
  ended(task: Task): void;
}

/** What a task is made of, once its restored state has been read. */
export interface TaskParts {
  readonly chain: OperatorChain;
  readonly input: TaskInput;
  /** Inputs of the head that end one by one; 0 for a source. */
  readonly inputs: number;
  readonly source: SourceOperator | undefined;
  readonly sources: GeneratedSources;
  readonly metrics: MetricRegistry;
}
