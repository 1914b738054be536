import type { JobGraph } from "@millrace/graph";
import type { OperatorStateAssignment, OperatorStateHandle } from "@millrace/state";

/** One attempt of one subtask. Unique over the life of a job. */
export interface ExecutionAttempt {
  readonly vertexId: string;
  readonly subtaskIndex: number;
  readonly attemptNumber: number;
}

/** State a task starts from: per operator id, the handles written by earlier attempts, already assigned to this subtask. */
export interface TaskRestore {
  readonly checkpointId: number;
  readonly operators: Readonly<Record<string, OperatorRestore>>;
  /** Every subtask of this vertex had finished before the checkpoint: pass on the end of input and finish, without running operators (FLIP-147). */
  readonly finished?: boolean;
}

/** JSON-friendly; the handle types are `@millrace/state`'s. */
export interface OperatorRestore {
  readonly keyed: readonly unknown[];
  readonly operator: readonly unknown[];
}

/**
 * An element of `OperatorRestore.operator` inside a `TaskRestore`: one old subtask's operator state, and what of it this subtask reads.
 * (In a `TaskStateSnapshot` the elements are plain `OperatorStateHandle`s; `keyed` holds `KeyedStateHandle`s in both.) In a restore all paths are absolute.
 */
export interface AssignedOperatorState {
  readonly handle: OperatorStateHandle;
  readonly assignments: readonly Omit<OperatorStateAssignment, "handle">[];
}

/** What a slot needs to run one subtask. */
export interface TaskDeployment {
  readonly attempt: ExecutionAttempt;
  readonly restore: TaskRestore | undefined;
  /** Where the subtasks of every vertex run, so that the slot can tell local edges from remote ones: slot index by subtask. */
  readonly slotOfSubtask: Readonly<Record<string, readonly number[]>>;
}

/** What a slot is started with, before any task: the plan, and where checkpoints go. */
export interface SlotJob {
  readonly jobGraph: JobGraph;
  readonly slotIndex: number;
  readonly numberOfSlots: number;
  readonly checkpointDirectory: string;
  /** Absolute; for files that live no longer than the job. */
  readonly temporaryDirectory: string;
}

/** What is asked of a checkpoint besides being one: goes with the trigger and with every barrier. Plain data. */
export interface CheckpointOptions {
  /** Its files refer to no others, whatever `execution.checkpointing.incremental` says. */
  readonly full?: boolean;
  /** Absolute directory of a savepoint: its files go there, and refer to no others. */
  readonly savepointDirectory?: string;
  /**
   * The job stops behind it: nothing is processed after the snapshot, until the checkpoint is complete (the task finishes) or aborted (it goes on).
   * `drain`: the sources end first, as if there were no more records, so that all windows fire; a task that was aborted then has to be cancelled.
   */
  readonly stop?: "suspend" | "drain";
}

/** Where the state of one task went. JSON-friendly, part of the checkpoint's metadata. */
export interface TaskStateSnapshot {
  readonly operators: Readonly<Record<string, OperatorRestore>>;
  /** All that it refers to. */
  readonly stateBytes: number;
  /** Written for this checkpoint: less, when the checkpoint is incremental. */
  readonly writtenBytes: number;
}

export interface CheckpointTaskMetrics {
  readonly alignmentDurationMs: number;
  readonly syncDurationMs: number;
  readonly asyncDurationMs: number;
  readonly startDelayMs: number;
}

