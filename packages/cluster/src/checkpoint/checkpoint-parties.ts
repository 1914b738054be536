import type { Configuration, Env, MillraceError } from "@millrace/core";
import type { CheckpointOptions } from "@millrace/runtime";
import type { Execution } from "../job-master/execution-graph.js";
import type { CheckpointStatisticsTracker } from "./checkpoint-statistics.js";
import type { CheckpointStore } from "./checkpoint-store.js";
import type { CompletedCheckpoint } from "./completed-checkpoint-store.js";
import type { CheckpointWaiter } from "./pending-checkpoint.js";

/** What a coordinator needs of its JobMaster. All calls happen synchronously on the JobMaster's thread. */
export interface CheckpointParties {
  /** Operator ids of all source coordinators. */
  readonly sourceCoordinators: readonly string[];
  snapshotCoordinator(operatorId: string, checkpointId: number): void;
  /** Tells the tasks to start the checkpoint; held coordinator events follow right behind. */
  triggerTasks(tasks: readonly Execution[], checkpointId: number, timestampMs: number, options: CheckpointOptions): void;
  /** Lets held coordinator events go. */
  releaseCoordinatorEvents(): void;
  /** Not called for a savepoint, unless the job stops behind it. */
  notifyComplete(checkpoint: CompletedCheckpoint): void;
  notifyAborted(checkpointId: number): void;
  /** A savepoint that the running job stops behind is asked for. */
  stopBegins(): void;
  /** It failed: the job runs on, unless it failed, too. */
  stopFailed(): void;
  /** Too many checkpoints failed in a row, or the sources have ended for a savepoint that failed. */
  failJob(error: MillraceError): void;
}

export interface CheckpointCoordinatorInit {
  readonly env: Pick<Env, "clock" | "fs" | "log">;
  readonly config: Configuration;
  /** Absolute; `chk-<id>` directories go in here. */
  readonly directory: string;
  readonly store: CheckpointStore;
  readonly parties: CheckpointParties;
  /** A batch job: one checkpoint, when nothing runs any more but tasks that have yet to commit. */
  readonly onlyAtTheEnd?: boolean;
  /** Told of everything that happens to a checkpoint. */
  readonly statistics?: CheckpointStatisticsTracker;
}

/** A savepoint that is to be taken. */
export interface SavepointRequest {
  /** Absolute; another one for each try. */
  readonly newDirectory: () => string;
  readonly stop: CheckpointOptions["stop"];
  readonly savepointFormat: CheckpointOptions["savepointFormat"];
  readonly waiters: readonly CheckpointWaiter[];
}
