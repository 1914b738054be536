import type { Env } from "@millrace/core";
import type { CheckpointOptions } from "@millrace/runtime";
import type { CheckpointStore } from "./checkpoint-store.js";
import { METADATA_FILE, type CheckpointMetadata } from "./checkpoint-metadata.js";
import { deleteClaimed } from "./savepoint-files.js";
import { sharedFiles } from "./shared-files.js";

/** A checkpoint that can be restored from. */
export interface CompletedCheckpoint {
  /** Directory of the checkpoint. */
  readonly path: string;
  readonly metadata: CheckpointMetadata;
  /** Not this job's to delete: restored from outside, or a savepoint. */
  readonly external: boolean;
  /** Restored from outside, and given to this job (claim mode CLAIM). */
  readonly claimed?: boolean;
  /** A savepoint that the job stopped behind, or was about to. */
  readonly stop?: CheckpointOptions["stop"] | undefined;
}

/**
 * The last completed checkpoints of a job, oldest first; deletes those that newer ones subsume.
 *
 * An incremental checkpoint needs files of older ones. The directory of one that is not retained any more stays, without its `_metadata`, until
 * no retained checkpoint needs a file in it, nor any that tasks may still build on ({@link SharedFiles.oldestBase}). What was not completed by
 * this job is never deleted here unless it was claimed, and never needed for long: after a restore every task begins with a checkpoint that stands alone. Flink: SharedStateRegistry.
 */
export class CompletedCheckpointStore implements CheckpointStore {
  readonly #env: Pick<Env, "fs" | "log">;
  readonly #retained: number;
  readonly #onDiscarded: ((checkpoint: CompletedCheckpoint) => void) | undefined;
  #checkpoints: CompletedCheckpoint[] = [];
  /** Not retained, but not deleted yet, either. */
  #subsumed: CompletedCheckpoint[] = [];

  /** @param onDiscarded told of claimed checkpoints whose files are gone */
  constructor(env: Pick<Env, "fs" | "log">, retained: number, onDiscarded?: (checkpoint: CompletedCheckpoint) => void) {
    this.#env = env;
    this.#onDiscarded = onDiscarded;
    this.#retained = Math.max(1, retained);
  }

  get latest(): CompletedCheckpoint | undefined {
    return this.#checkpoints.at(-1);
  }

  get all(): readonly CompletedCheckpoint[] {
    return this.#checkpoints;
  }

  /** Adds the newest checkpoint and deletes what it subsumes, in the background. */
  add(checkpoint: CompletedCheckpoint): void {
    this.#checkpoints.push(checkpoint);
    const own = this.#checkpoints.filter((candidate) => !candidate.external);
    const subsumed = own.slice(0, -this.#retained);
    // One from outside is no longer needed once there is a newer one of our own.
    const newestOwn = own.at(-1);
    this.#checkpoints = this.#checkpoints.filter((candidate, index) =>
      candidate.external ? newestOwn === undefined || index > this.#checkpoints.indexOf(newestOwn) : !subsumed.includes(candidate));
    this.#subsumed.push(...subsumed);
    if (!checkpoint.external) this.#deleteUnneeded(checkpoint);
    for (const { path } of subsumed) if (this.#subsumed.some((left) => left.path === path)) void this.deleteFiles(`${path}/${METADATA_FILE}`);
  }

  #deleteUnneeded(newest: CompletedCheckpoint): void {
    const { oldestBase } = sharedFiles(newest.path, newest.metadata);
    const usable = [...this.#checkpoints, ...this.#subsumed.filter(({ metadata }) => metadata.checkpointId >= oldestBase)];
    const needed = new Set(usable.flatMap(({ path, metadata }) => [...sharedFiles(path, metadata).directories]));
    for (const checkpoint of this.#subsumed) if (!needed.has(checkpoint.path)) void this.#delete(checkpoint);
    this.#subsumed = this.#subsumed.filter(({ path }) => needed.has(path));
  }

  /** Deletes all of this job's checkpoints, when it ended and nothing is to be retained. */
  async discardAll(): Promise<void> {
    const own = [...this.#subsumed, ...this.#checkpoints.filter((checkpoint) => !checkpoint.external)];
    this.#checkpoints = [];
    this.#subsumed = [];
    await Promise.all(own.map((checkpoint) => this.#delete(checkpoint)));
  }

  /** Deletes a checkpoint with what only it needs. */
  async #delete(checkpoint: CompletedCheckpoint): Promise<void> {
    const { path, metadata, claimed } = checkpoint;
    if (claimed !== true) return this.deleteFiles(path);
    try {
      await deleteClaimed(this.#env.fs, path, metadata);
      this.#onDiscarded?.(checkpoint);
    } catch (error) {
      this.#env.log.write("warn", `cannot delete ${path}: ${(error as Error).message}`);
    }
  }

  /** Deletes a checkpoint's directory; what cannot be deleted is logged and left. */
  async deleteFiles(path: string): Promise<void> {
    try {
      await this.#env.fs.delete(path);
    } catch (error) {
      this.#env.log.write("warn", `cannot delete ${path}: ${(error as Error).message}`);
    }
  }
}
