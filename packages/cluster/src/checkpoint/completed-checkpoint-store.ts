import type { Env } from "@millrace/core";
import type { CheckpointMetadata } from "./checkpoint-metadata.js";

/** A checkpoint that can be restored from. */
export interface CompletedCheckpoint {
  /** Directory of the checkpoint. */
  readonly path: string;
  readonly metadata: CheckpointMetadata;
  /** Restored from outside (`execution.state-recovery.path`): never deleted by this job. */
  readonly external: boolean;
}

/** The last completed checkpoints of a job, oldest first; deletes those that newer ones subsume. */
export class CompletedCheckpointStore {
  readonly #env: Pick<Env, "fs" | "log">;
  readonly #retained: number;
  #checkpoints: CompletedCheckpoint[] = [];

  constructor(env: Pick<Env, "fs" | "log">, retained: number) {
    this.#env = env;
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
    // One restored from outside is no longer needed once there is one of our own.
    const kept = own.length > 0 ? own.slice(-this.#retained) : this.#checkpoints;
    for (const subsumed of own) if (!kept.includes(subsumed)) void this.deleteFiles(subsumed.path);
    this.#checkpoints = kept;
  }

  /** Deletes all of this job's checkpoints, when it ended and nothing is to be retained. */
  async discardAll(): Promise<void> {
    const own = this.#checkpoints.filter((checkpoint) => !checkpoint.external);
    this.#checkpoints = [];
    await Promise.all(own.map((checkpoint) => this.deleteFiles(checkpoint.path)));
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
