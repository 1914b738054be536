import type { JobGraph } from "@millrace/graph";
import type { Cancellable, MillraceError } from "@millrace/core";
import type { CheckpointOptions, ExecutionAttempt, TaskStateSnapshot } from "@millrace/runtime";
import type { Execution } from "../job-master/execution-graph.js";
import { METADATA_FORMAT_VERSION, SAVEPOINT_FORMAT_VERSION, type CheckpointMetadata, type OperatorCheckpoint } from "./checkpoint-metadata.js";
import type { CheckpointPlan } from "./checkpoint-plan.js";
import type { CompletedCheckpoint } from "./completed-checkpoint-store.js";

/** Why a checkpoint was given up, and whether that counts against `tolerable-failed-checkpoints`. */
export interface AbortReason {
  readonly message: string;
  readonly counts: boolean;
  readonly cause?: unknown;
  /** What who waits for it is told, if not this. */
  readonly error?: MillraceError | undefined;
  /** A successor may know the checkpoint as complete. */
  readonly keepsFiles?: boolean;
  /** What it was asked for by may ask again at once: nothing is wrong. */
  readonly again?: boolean;
}

/** Somebody who asked for a checkpoint. */
export interface CheckpointWaiter {
  readonly resolve: (checkpoint: CompletedCheckpoint) => void;
  readonly reject: (error: unknown) => void;
}

export interface PendingCheckpointInit {
  readonly checkpointId: number;
  readonly timestampMs: number;
  readonly startedMs: number;
  readonly path: string;
  readonly plan: CheckpointPlan;
  readonly coordinators: Iterable<string>;
  readonly options: CheckpointOptions;
  readonly waiters: readonly CheckpointWaiter[];
  /** Asks for the same again, when it was aborted because the tasks are not those any more that it began with. */
  readonly again: (() => void) | undefined;
}

/** `storing`: complete but for the store, and no longer to be given up. */
export type PendingState = "coordinators" | "tasks" | "completing" | "storing" | "aborted" | "completed";

/** A checkpoint in progress: first the source coordinators' state, then the tasks', then the metadata file. */
export class PendingCheckpoint {
  readonly checkpointId: number;
  readonly timestampMs: number;
  readonly startedMs: number;
  readonly path: string;
  readonly plan: CheckpointPlan;
  readonly options: CheckpointOptions;
  readonly waiters: readonly CheckpointWaiter[];
  readonly again: (() => void) | undefined;
  /** Tasks that asked for a last checkpoint before this one began. */
  readonly finalTasks: readonly Execution[];
  state: PendingState = "coordinators";
  timeout: Cancellable | undefined;
  readonly #waitingCoordinators: Set<string>;
  readonly #waitingTasks: Set<string>;
  readonly #coordinatorState = new Map<string, Uint8Array>();
  readonly #taskState = new Map<string, TaskStateSnapshot>();

  constructor(init: PendingCheckpointInit) {
    this.checkpointId = init.checkpointId;
    this.timestampMs = init.timestampMs;
    this.startedMs = init.startedMs;
    this.path = init.path;
    this.plan = init.plan;
    this.options = init.options;
    this.waiters = init.waiters;
    this.again = init.again;
    this.finalTasks = init.plan.toAcknowledge.filter((execution) => execution.awaitsFinalCheckpoint);
    this.#waitingCoordinators = new Set(init.coordinators);
    this.#waitingTasks = new Set(init.plan.toAcknowledge.map((execution) => keyOf(execution.attempt)));
  }

  get isSavepoint(): boolean {
    return this.options.savepointDirectory !== undefined;
  }

  /** The coordinator has answered already. */
  hasCoordinator(operatorId: string): boolean {
    return this.#coordinatorState.has(operatorId);
  }

  get coordinatorsDone(): boolean {
    return this.#waitingCoordinators.size === 0;
  }

  get tasksDone(): boolean {
    return this.#waitingTasks.size === 0;
  }

  awaits(attempt: ExecutionAttempt): boolean {
    return this.#waitingTasks.has(keyOf(attempt));
  }

  /** False for a coordinator that was not asked, or answered before. */
  addCoordinator(operatorId: string, state: Uint8Array): boolean {
    if (!this.#waitingCoordinators.delete(operatorId)) return false;
    this.#coordinatorState.set(operatorId, state);
    return true;
  }

  /** False for a task that was not asked, or answered before. */
  addTask(attempt: ExecutionAttempt, state: TaskStateSnapshot): boolean {
    if (!this.#waitingTasks.delete(keyOf(attempt))) return false;
    this.#taskState.set(keyOf(attempt), state);
    return true;
  }

  toMetadata(jobGraph: JobGraph, toBase64: (bytes: Uint8Array) => string): CheckpointMetadata {
    let stateBytes = 0;
    let writtenBytes = 0;
    for (const state of this.#taskState.values()) {
      stateBytes += state.stateBytes;
      writtenBytes += state.writtenBytes;
    }
    const operators = jobGraph.vertices.flatMap((vertex) => vertex.operators.map((operator): OperatorCheckpoint => {
      const coordinator = this.#coordinatorState.get(operator.id);
      const subtasks = this.plan.toAcknowledge
        .filter((execution) => execution.attempt.vertexId === vertex.id)
        .map(({ attempt }) => ({ subtaskIndex: attempt.subtaskIndex, state: this.#taskState.get(keyOf(attempt))?.operators[operator.id] }));
      return {
        operatorId: operator.id, uid: operator.uid, name: operator.name, parallelism: vertex.parallelism, maxParallelism: vertex.maxParallelism,
        ...(coordinator === undefined ? {} : { coordinator: toBase64(coordinator) }),
        ...(subtasks.length === 0 || this.options.final === true ? { finished: true } : {}),
        subtasks: subtasks.flatMap(({ subtaskIndex, state }) => {
          const { keyed = [], operator: own = [], inFlight } = state ?? {};
          if (keyed.length === 0 && own.length === 0 && inFlight === undefined) return [];
          return [{ subtaskIndex, keyed, operator: own, ...(inFlight === undefined ? {} : { inFlight }) }];
        }),
      };
    }));
    const { savepointFormat } = this.options;
    const format =
      !this.isSavepoint ? { formatVersion: METADATA_FORMAT_VERSION }
      : savepointFormat === undefined ? { formatVersion: SAVEPOINT_FORMAT_VERSION, type: "savepoint" as const }
      : { formatVersion: METADATA_FORMAT_VERSION, type: "savepoint" as const, savepointFormat };
    return {
      ...format, checkpointId: this.checkpointId, timestampMs: this.timestampMs,
      jobId: jobGraph.jobId, jobName: jobGraph.jobName, stateBytes, writtenBytes, operators,
    };
  }
}

function keyOf(attempt: ExecutionAttempt): string {
  return `${attempt.vertexId}:${attempt.subtaskIndex}:${attempt.attemptNumber}`;
}
