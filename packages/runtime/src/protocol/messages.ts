import type { AccumulatorValue, SerializedError } from "@millrace/core";
import type { ExecutionState } from "@millrace/graph";
import type { CheckpointOptions, CheckpointTaskMetrics, ExecutionAttempt, SlotJob, TaskDeployment, TaskStateSnapshot } from "./deployment.js";

/**
 * What the JobMaster tells a slot. All plain data (structured clone); the order of messages to one slot is the order of their effects.
 * Every message belongs to one `epoch` of the job (one deployment of one of its regions); a slot drops those of another one.
 */
export type SlotCommand =
  | { readonly type: "start"; readonly epoch: number; readonly job: SlotJob }
  /** The other end of this slot's connection to a peer slot; the port is transferred beside the message. */
  | { readonly type: "connect"; readonly epoch: number; readonly peerSlot: number; readonly port: unknown }
  | { readonly type: "deploy"; readonly epoch: number; readonly tasks: readonly TaskDeployment[] }
  /** All tasks are deployed everywhere and connected: sources may start. */
  | { readonly type: "run"; readonly epoch: number }
  | { readonly type: "triggerCheckpoint"; readonly epoch: number; readonly checkpointId: number; readonly timestampMs: number; readonly tasks: readonly ExecutionAttempt[]; readonly options?: CheckpointOptions }
  | { readonly type: "checkpointComplete" | "checkpointAborted"; readonly epoch: number; readonly checkpointId: number }
  /** The program has taken so many bytes of what a task sent to it. */
  | { readonly type: "resultsTaken"; readonly epoch: number; readonly attempt: ExecutionAttempt; readonly bytes: number }
  | { readonly type: "cancel"; readonly epoch: number }
  /** From an operator coordinator to the operator's subtask. */
  | { readonly type: "operatorEvent"; readonly epoch: number; readonly operatorId: string; readonly subtaskIndex: number; readonly event: CoordinatorToOperator }
  /** Starts the coordinator (split enumerator) of a source in this slot; `restored` is what it returned from its last checkpoint. */
  | { readonly type: "startCoordinator"; readonly epoch: number; readonly operatorId: string; readonly nodeId: number; readonly parallelism: number; readonly restored: Uint8Array | undefined }
  | { readonly type: "coordinatorEvent"; readonly epoch: number; readonly operatorId: string; readonly subtaskIndex: number; readonly event: OperatorToCoordinator }
  | { readonly type: "snapshotCoordinator"; readonly epoch: number; readonly operatorId: string; readonly checkpointId: number };

/** What a slot tells the JobMaster. */
export type SlotEvent =
  | { readonly type: "taskState"; readonly epoch: number; readonly attempt: ExecutionAttempt; readonly state: ExecutionState; readonly error?: SerializedError }
  | {
      readonly type: "acknowledgeCheckpoint"; readonly epoch: number; readonly checkpointId: number; readonly attempt: ExecutionAttempt;
      readonly state: TaskStateSnapshot; readonly metrics: CheckpointTaskMetrics;
    }
  | { readonly type: "declineCheckpoint"; readonly epoch: number; readonly checkpointId: number; readonly attempt: ExecutionAttempt; readonly error: SerializedError }
  /**
   * A sink holds committables at the end of its input: it stays RUNNING until a checkpoint that includes them is complete. Or (`hasUncommitted` is false)
   * a task has nothing left to do but wait until such tasks close its input.
   */
  | { readonly type: "finalCheckpointNeeded"; readonly epoch: number; readonly attempt: ExecutionAttempt; readonly hasUncommitted?: boolean }
  | { readonly type: "coordinatorEvent"; readonly epoch: number; readonly operatorId: string; readonly subtaskIndex: number; readonly event: OperatorToCoordinator }
  | { readonly type: "operatorEvent"; readonly epoch: number; readonly operatorId: string; readonly subtaskIndex: number; readonly event: CoordinatorToOperator }
  | { readonly type: "coordinatorSnapshot"; readonly epoch: number; readonly operatorId: string; readonly checkpointId: number; readonly state: Uint8Array }
  /** The source of this coordinator reads records that have waited for long, or no longer does. */
  | { readonly type: "processingBacklog"; readonly epoch: number; readonly operatorId: string; readonly isProcessing: boolean }
  | { readonly type: "coordinatorFailed"; readonly epoch: number; readonly operatorId: string; readonly error: SerializedError }
  | { readonly type: "metrics"; readonly epoch: number; readonly attempt: ExecutionAttempt; readonly values: Readonly<Record<string, number>> }
  /** By name, each as `accumulatorValue` (core) makes it. */
  | { readonly type: "accumulators"; readonly epoch: number; readonly attempt: ExecutionAttempt; readonly values: Readonly<Record<string, AccumulatorValue>> }
  /** Results for `executeAndCollect` and `print`: exchange-codec bytes, in order per (collectId, subtask). */
  | {
      readonly type: "collected"; readonly epoch: number; readonly collectId: string; readonly subtaskIndex: number; readonly batch: ArrayBuffer;
      /** Id of the last checkpoint whose barrier the subtask has passed (or was restored from; 0: none): the first complete one after it covers the batch. */
      readonly afterCheckpoint: number;
      /** Hears `resultsTaken`. */
      readonly attempt?: ExecutionAttempt;
    }
  /** With an `attempt`, what one of its sinks prints; it hears `resultsTaken`. */
  | {
      readonly type: "log"; readonly level: "print" | "info" | "warn" | "error"; readonly line: string; readonly attempt?: ExecutionAttempt;
      /** User code wrote it to the console, or to standard output or error; otherwise it is the engine's. */
      readonly fromUser?: boolean;
    }
  /** The slot itself is lost (its module does not import, the fingerprint differs, a fault outside of any task). */
  | { readonly type: "slotFailed"; readonly error: SerializedError };

/** Split bytes travel encoded by the source's split codec. */
export type CoordinatorToOperator =
  | { readonly kind: "assignSplits"; readonly splits: readonly Uint8Array[] }
  | { readonly kind: "noMoreSplits" }
  | { readonly kind: "sourceEvent"; readonly event: unknown }
  | { readonly kind: "alignment"; readonly maxWatermarkMs: number };
export type OperatorToCoordinator =
  | { readonly kind: "readerRegistered" }
  | { readonly kind: "splitRequest" }
  | { readonly kind: "sourceEvent"; readonly event: unknown }
  /** Of a source in a watermark alignment group; the JobMaster answers `alignment` to all members: the least watermark of the group plus the drift. */
  | { readonly kind: "watermarkReport"; readonly watermarkMs: number; readonly group: string; readonly maxDriftMs: number };
