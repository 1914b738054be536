import type { PartitionProgress } from "./partition-commit/partition-progress.js";

/** A closed part file that becomes visible with its checkpoint. */
export interface FileSinkCommittable {
  readonly inProgressPath: string;
  readonly finalPath: string;
  readonly sizeBytes: number;
  /** Of a part on a store of whole objects: the token of the `StagedFile`. Such a part has no in-progress file. */
  readonly staged?: string;
  /** What it was merged from: deleted once it is visible. */
  readonly obsoletePaths?: readonly string[];
  /** In place of a file: how far the writer's rows go that are committed with this checkpoint. */
  readonly progress?: PartitionProgress;
}

/** A part file that was closed. */
export interface ClosedPart extends FileSinkCommittable {
  readonly bucketId: string;
}

/** One that waits to be merged with others. */
export interface WaitingPart extends ClosedPart {
  /** How many checkpoints it has waited through. */
  readonly checkpoints: number;
}

/** A part file that goes on after the checkpoint. */
export interface InProgressPart {
  readonly bucketId: string;
  readonly inProgressPath: string;
  readonly finalPath: string;
  /** What the checkpoint covers; bytes behind it are cut off at restore. */
  readonly lengthBytes: number;
  readonly createdMs: number;
  readonly lastUpdateMs: number;
}

/** A writer's part of a checkpoint; exactly one per writer. */
export interface FileSinkWriterState {
  readonly jobId: string;
  /** Of the writer; with the subtask and a number it names part files. */
  readonly uid: string;
  readonly subtask: number;
  /** Files of this writer with this or a higher number were begun after the checkpoint. */
  readonly nextPart: number;
  readonly inProgress: readonly InProgressPart[];
  /** Parts held back by compaction. */
  readonly waiting?: readonly WaitingPart[];
  /** Partitions that are not complete, and when their first row was written. */
  readonly partitions?: readonly (readonly [bucketId: string, createdMs: number])[];
}
