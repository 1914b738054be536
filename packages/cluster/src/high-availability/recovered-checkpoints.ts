import { isMillraceError, type Env } from "@millrace/core";
import { readMetadata } from "../checkpoint/checkpoint-metadata.js";
import type { CompletedCheckpoint } from "../checkpoint/completed-checkpoint-store.js";
import type { CheckpointPointers } from "./checkpoint-pointers.js";

export interface RecoveredCheckpointsInit {
  readonly env: Pick<Env, "fs" | "log">;
  readonly pointers: CheckpointPointers;
  /** `execution.checkpointing.num-retained` */
  readonly retained: number;
}

const LOST = ["CHECKPOINT_NOT_FOUND", "CHECKPOINT_UNREADABLE"];

/**
 * A job's completed checkpoints, kept over the change of leaders: the pointers in the fenced store, the content in each `_metadata`.
 * Flink: DefaultCompletedCheckpointStore.
 *
 * Contract: `add` resolves when a successor would restore the checkpoint; only then may tasks be told that it is complete. Files are
 * deleted only after the commit that forgets them, so no leader ever points to what a deposed one deletes.
 */
export class RecoveredCheckpoints {
  readonly #init: RecoveredCheckpointsInit;
  #checkpoints: CompletedCheckpoint[];

  private constructor(init: RecoveredCheckpointsInit, checkpoints: CompletedCheckpoint[]) {
    this.#init = init;
    this.#checkpoints = checkpoints;
  }

  /**
   * Reads what earlier leaders left. A checkpoint whose `_metadata` is gone or damaged is passed over with a warning, and the one before it
   * becomes the latest: output that was committed with the lost one is then produced again. Its pointer stays until it is subsumed.
   * @throws what the storage throws when it cannot be reached (that passes, and going back would not be undone), and
   * `CHECKPOINT_NOT_FOUND` or `CHECKPOINT_UNREADABLE` when no pointer leads anywhere: a job that had checkpoints never starts anew in silence.
   */
  static async recover(init: RecoveredCheckpointsInit): Promise<RecoveredCheckpoints> {
    const pointers = await init.pointers.all();
    const readable: CompletedCheckpoint[] = [];
    let lastError: unknown;
    for (const { path, external, checkpointId } of pointers) {
      try {
        const metadata = await readMetadata(init.env.fs, path);
        readable.push({ path, metadata, external });
      } catch (error) {
        if (!isMillraceError(error) || !LOST.includes(error.code)) throw error;
        lastError = error;
        init.env.log.write("warn", `checkpoint ${checkpointId} is lost, and output since the one before it may be repeated: ${error.message}`);
      }
    }
    if (readable.length === 0 && lastError !== undefined) throw lastError;
    return new RecoveredCheckpoints(init, readable);
  }

  get latest(): CompletedCheckpoint | undefined {
    return this.#checkpoints.at(-1);
  }

  /** Oldest first. */
  get all(): readonly CompletedCheckpoint[] {
    return this.#checkpoints;
  }

  /** Makes `checkpoint` the latest and subsumes what is no longer retained. @throws `LEADERSHIP_LOST`, `HA_UNAVAILABLE` */
  async add(checkpoint: CompletedCheckpoint): Promise<void> {
    const checkpoints = [...this.#checkpoints, checkpoint];
    const own = checkpoints.filter((candidate) => !candidate.external);
    // One restored from outside is no longer needed once there is one of our own.
    const kept = own.length > 0 ? own.slice(-Math.max(1, this.#init.retained)) : checkpoints;
    const keptIds = new Set(kept.map(idOf));
    const known = await this.#init.pointers.all();
    const dropped = [...known.map((pointer) => pointer.checkpointId), ...this.#checkpoints.map(idOf)].filter((id) => !keptIds.has(id));
    await this.#init.pointers.change(
      [{ checkpointId: idOf(checkpoint), path: checkpoint.path, external: checkpoint.external }], [...new Set(dropped)]);
    const subsumed = this.#checkpoints.filter((candidate) => !kept.includes(candidate) && !candidate.external);
    const unreadable = known.filter(({ checkpointId, external }) => !external && dropped.includes(checkpointId) && !subsumed.some((one) => idOf(one) === checkpointId));
    this.#checkpoints = kept;
    for (const { path } of [...subsumed, ...unreadable]) void this.deleteFiles(path);
  }

  /** The job reached its end and nothing is retained: forgets all, then deletes the files of the job's own. */
  async discardAll(): Promise<void> {
    const known = await this.#init.pointers.all();
    await this.#init.pointers.change([], known.map((pointer) => pointer.checkpointId));
    this.#checkpoints = [];
    await Promise.all(known.filter((pointer) => !pointer.external).map((pointer) => this.deleteFiles(pointer.path)));
  }

  /** Deletes a checkpoint's directory; what cannot be deleted is logged and left. */
  async deleteFiles(path: string): Promise<void> {
    try {
      await this.#init.env.fs.delete(path);
    } catch (error) {
      this.#init.env.log.write("warn", `cannot delete the checkpoint ${path}: ${(error as Error).message}`);
    }
  }
}

function idOf(checkpoint: CompletedCheckpoint): number {
  return checkpoint.metadata.checkpointId;
}
