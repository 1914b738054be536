import type { PartitionCommitSettings } from "./partition-commit-options.js";
import { END_OF_INPUT_MS } from "./partition-progress.js";
import type { PartitionProgress } from "./partition-progress.js";

/** The partitions that one writer has written to and that are not complete by its own clock. */
export class PendingPartitions {
  readonly #settings: PartitionCommitSettings;
  readonly #created = new Map<string, number>();
  #watermarkMs: number = Number.MIN_SAFE_INTEGER;

  constructor(settings: PartitionCommitSettings) {
    this.#settings = settings;
  }

  /** For the writer's state. */
  get entries(): readonly (readonly [string, number])[] {
    return [...this.#created];
  }

  add(bucketId: string, createdMs: number): void {
    if (!this.#created.has(bucketId)) this.#created.set(bucketId, createdMs);
  }

  advanceWatermark(timestampMs: number): void {
    this.#watermarkMs = Math.max(this.#watermarkMs, timestampMs);
  }

  /** What a checkpoint says; partitions that are complete here are the committers' from then on. `isHeld` says that rows of a bucket are not committed with it. */
  progress(subtask: number, parallelism: number, nowMs: number, isEnd: boolean, isHeld: (bucketId: string) => boolean): PartitionProgress {
    const clockMs = this.#settings.trigger === "process-time" ? nowMs : this.#watermarkMs;
    // Rows that still wait hold back what is said of their partition.
    let reachedMs = isEnd ? END_OF_INPUT_MS : clockMs;
    const partitions = this.entries;
    for (const [bucketId, createdMs] of partitions) {
      const dueMs = isEnd ? END_OF_INPUT_MS : this.#settings.dueMs(bucketId, createdMs);
      if (dueMs > clockMs && !isEnd) continue;
      if (isHeld(bucketId) && !isEnd) reachedMs = Math.min(reachedMs, dueMs - 1);
      else this.#created.delete(bucketId);
    }
    return { subtask, parallelism, reachedMs, partitions };
  }
}
