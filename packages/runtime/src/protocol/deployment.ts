import type { JobGraph } from "@millrace/graph";
import type { FileRange, OperatorStateAssignment, OperatorStateHandle } from "@millrace/state";

/** What is asked of a checkpoint besides being one: goes with the trigger and with every barrier. Plain data. */
export interface CheckpointOptions {
  /**
   * Barriers overtake the records between tasks when the checkpoint has gone on for so many milliseconds; 0: at once. Absent: they never do.
   * A barrier that has overtaken says 0.
   */
  readonly unalignedAfterMs?: number;
  /** Its files refer to no others, whatever `execution.checkpointing.incremental` says. */
  readonly full?: boolean;
  /** Absolute directory of a savepoint: its files go there, and refer to no others. */
  readonly savepointDirectory?: string;
  /** Of a savepoint: its metadata says that it is in the format of checkpoints, which may change with the release. Absent: the canonical one. */
  readonly savepointFormat?: "NATIVE";
  /**
   * The job stops behind it: nothing is processed after the snapshot, until the checkpoint is complete (the task finishes) or aborted (it goes on).
   * `drain`: the sources end first, as if there were no more records, so that all windows fire; a task that was aborted then has to be cancelled.
   */
  readonly stop?: "suspend" | "drain";
  /** All input has ended, and no operator will run again: only what sinks have yet to commit is kept. The one checkpoint of a batch job. */
  readonly final?: true;
}

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
  /** Every subtask of this vertex had finished before the checkpoint: pass on the end of input and finish, without running operators but sinks that have something to commit (FLIP-147). */
  readonly finished?: boolean;
  /** Records that were on their way to this subtask: processed before anything else comes over their edges. */
  readonly inFlight?: readonly InFlightRestore[];
}

/** JSON-friendly; the handle types are `@millrace/state`'s. */
export interface OperatorRestore {
  readonly keyed: readonly unknown[];
  readonly operator: readonly unknown[];
  /** In a snapshot: what was on its way to this operator (the head of its task) or from it, taken by an unaligned checkpoint. */
  readonly inFlight?: readonly InFlightHandle[];
}

/** Batches that were between two subtasks when an unaligned checkpoint was taken. */
export interface InFlightHandle {
  readonly edgeId: string;
  /** Subtask indexes of the channel's two ends. */
  readonly from: number;
  readonly to: number;
  /** Where they waited. In one channel, those of the input come before those of the output. */
  readonly side: "input" | "output";
  readonly file: FileRange;
  /** Bytes of each batch (exchange format), in order. */
  readonly batches: readonly number[];
}

/** What a subtask replays of one edge. Paths are absolute. */
export interface InFlightRestore {
  readonly edgeId: string;
  /** In order for each channel. */
  readonly handles: readonly InFlightHandle[];
  /** One end of the edge has another parallelism now: every record goes to the subtask it belongs to, which others may read, too. */
  readonly rescaled: boolean;
  /** No operator's parallelism has changed, so watermarks between the records mean what they meant. */
  readonly keepsWatermarks: boolean;
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
  /** The JobMaster says what of its results the program has taken. */
  readonly tellsResultsTaken?: true;
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
  /** From the first barrier to the last. */
  readonly alignmentDurationMs: number;
  readonly syncDurationMs: number;
  readonly asyncDurationMs: number;
  readonly startDelayMs: number;
  /** A barrier overtook records, in an input or an output. */
  readonly unaligned: boolean;
  /** Bytes of the records that were overtaken. */
  readonly persistedBytes: number;
  /** Bytes received from other slots that were processed between the first barrier and the snapshot. */
  readonly processedBytes: number;
}

