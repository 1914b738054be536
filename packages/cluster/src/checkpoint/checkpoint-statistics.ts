import type { CheckpointTaskMetrics, ExecutionAttempt } from "@millrace/runtime";

/** What one subtask reported about one checkpoint. */
export interface SubtaskCheckpointStatistics extends CheckpointTaskMetrics {
  readonly subtaskIndex: number;
  readonly acknowledgedMs: number;
  readonly stateBytes: number;
}

/** One checkpoint, whether it goes on, is complete, or failed. Plain data. */
export interface CheckpointStatistics {
  readonly checkpointId: number;
  readonly status: "IN_PROGRESS" | "COMPLETED" | "FAILED";
  readonly isSavepoint: boolean;
  readonly triggeredMs: number;
  /** When it became complete or failed. */
  readonly endedMs: number | undefined;
  readonly path: string | undefined;
  /** Its files are no longer kept. */
  readonly discarded: boolean;
  readonly failure: string | undefined;
  readonly tasks: readonly { readonly vertexId: string; readonly subtasks: number; readonly acknowledged: readonly SubtaskCheckpointStatistics[] }[];
}

/** A restore of the job. */
export interface RestoredCheckpoint {
  readonly checkpointId: number;
  readonly restoredMs: number;
  readonly path: string;
  readonly isSavepoint: boolean;
}

/** Everything a job remembers of its checkpoints. Plain data. */
export interface CheckpointsView {
  readonly counts: { readonly restored: number; readonly total: number; readonly inProgress: number; readonly completed: number; readonly failed: number };
  /** Newest first. */
  readonly history: readonly CheckpointStatistics[];
  readonly latest: {
    readonly completed: CheckpointStatistics | undefined;
    readonly savepoint: CheckpointStatistics | undefined;
    readonly failed: CheckpointStatistics | undefined;
    readonly restored: RestoredCheckpoint | undefined;
  };
  /** Figures of the last completed ones, for percentiles: oldest first. */
  readonly completed: readonly CompletedFigures[];
}

export interface CompletedFigures {
  readonly stateBytes: number;
  readonly durationMs: number;
  readonly persistedBytes: number;
  readonly processedBytes: number;
}

type Mutable = { -readonly [K in Exclude<keyof CheckpointStatistics, "tasks">]: CheckpointStatistics[K] } & {
  tasks: { vertexId: string; subtasks: number; acknowledged: SubtaskCheckpointStatistics[] }[];
};

/** Of all subtasks that have acknowledged. */
export function sumOver(tasks: CheckpointStatistics["tasks"], figure: "stateBytes" | "persistedBytes" | "processedBytes"): number {
  return tasks.reduce((sum, task) => sum + task.acknowledged.reduce((bytes, subtask) => bytes + subtask[figure], 0), 0);
}

const HISTORY = 10;
const SAMPLES = 1000;

/**
 * Remembers the last checkpoints of a job with what each task said about them. Called by the checkpoint coordinator as things happen; calls about a
 * checkpoint that is no longer in the history do nothing. Flink: CheckpointStatsTracker.
 */
export class CheckpointStatisticsTracker {
  readonly #history: Mutable[] = [];
  readonly #completed: CompletedFigures[] = [];
  readonly #counts = { restored: 0, total: 0, inProgress: 0, completed: 0, failed: 0 };
  #latestCompleted: Mutable | undefined;
  #latestSavepoint: Mutable | undefined;
  #latestFailed: Mutable | undefined;
  #restored: RestoredCheckpoint | undefined;

  triggered(checkpointId: number, nowMs: number, attempts: readonly ExecutionAttempt[], isSavepoint = false): void {
    const subtasks = new Map<string, number>();
    for (const { vertexId } of attempts) subtasks.set(vertexId, (subtasks.get(vertexId) ?? 0) + 1);
    this.#counts.total++;
    this.#counts.inProgress++;
    this.#history.unshift({
      checkpointId, status: "IN_PROGRESS", isSavepoint, triggeredMs: nowMs, endedMs: undefined, path: undefined, discarded: false, failure: undefined,
      tasks: [...subtasks].map(([vertexId, count]) => ({ vertexId, subtasks: count, acknowledged: [] })),
    });
    if (this.#history.length > HISTORY) this.#history.pop();
  }

  acknowledged(checkpointId: number, attempt: ExecutionAttempt, stateBytes: number, metrics: CheckpointTaskMetrics, nowMs: number): void {
    const task = this.#find(checkpointId)?.tasks.find(({ vertexId }) => vertexId === attempt.vertexId);
    task?.acknowledged.push({ ...metrics, subtaskIndex: attempt.subtaskIndex, acknowledgedMs: nowMs, stateBytes });
  }

  completed(checkpointId: number, path: string, nowMs: number): void {
    const checkpoint = this.#end(checkpointId, "COMPLETED", nowMs);
    this.#counts.completed++;
    if (checkpoint === undefined) return;
    checkpoint.path = path;
    if (checkpoint.isSavepoint) this.#latestSavepoint = checkpoint;
    else this.#latestCompleted = checkpoint;
    this.#completed.push({
      stateBytes: sumOver(checkpoint.tasks, "stateBytes"), durationMs: nowMs - checkpoint.triggeredMs,
      persistedBytes: sumOver(checkpoint.tasks, "persistedBytes"), processedBytes: sumOver(checkpoint.tasks, "processedBytes"),
    });
    if (this.#completed.length > SAMPLES) this.#completed.shift();
  }

  failed(checkpointId: number, reason: string, nowMs: number): void {
    const checkpoint = this.#end(checkpointId, "FAILED", nowMs);
    this.#counts.failed++;
    if (checkpoint === undefined) return;
    checkpoint.failure = reason;
    this.#latestFailed = checkpoint;
  }

  restored(checkpointId: number, path: string, nowMs: number, isSavepoint = false): void {
    this.#counts.restored++;
    this.#restored = { checkpointId, path, restoredMs: nowMs, isSavepoint };
  }

  /** A copy as of now; `isKept` says of a completed checkpoint's path whether its files are still there. */
  view(isKept: (path: string) => boolean): CheckpointsView {
    const copy = (checkpoint: Mutable): CheckpointStatistics => ({
      ...checkpoint, discarded: checkpoint.path !== undefined && !checkpoint.isSavepoint && !isKept(checkpoint.path),
      tasks: checkpoint.tasks.map((task) => ({ ...task, acknowledged: [...task.acknowledged] })),
    });
    const some = (checkpoint: Mutable | undefined): CheckpointStatistics | undefined => (checkpoint === undefined ? undefined : copy(checkpoint));
    return {
      counts: { ...this.#counts }, history: this.#history.map(copy), completed: [...this.#completed],
      latest: { completed: some(this.#latestCompleted), savepoint: some(this.#latestSavepoint), failed: some(this.#latestFailed), restored: this.#restored },
    };
  }

  #find(checkpointId: number): Mutable | undefined {
    return this.#history.find((checkpoint) => checkpoint.checkpointId === checkpointId);
  }

  #end(checkpointId: number, status: "COMPLETED" | "FAILED", nowMs: number): Mutable | undefined {
    this.#counts.inProgress--;
    const checkpoint = this.#find(checkpointId);
    if (checkpoint === undefined) return undefined;
    checkpoint.status = status;
    checkpoint.endedMs = nowMs;
    return checkpoint;
  }
}
