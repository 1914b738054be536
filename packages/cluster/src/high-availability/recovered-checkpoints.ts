import { isMillraceError, type Env } from "@millrace/core";
import { readMetadata } from "../checkpoint/checkpoint-metadata.js";
import { CompletedCheckpointStore, type CompletedCheckpoint } from "../checkpoint/completed-checkpoint-store.js";
import type { CheckpointPointer, CheckpointPointers } from "./checkpoint-pointers.js";
import { LOST_CHECKPOINT, finishDiscards } from "./finish-discards.js";

export interface RecoveredCheckpointsInit {
  readonly env: Pick<Env, "fs" | "log">;
  readonly pointers: CheckpointPointers;
  /** `execution.checkpointing.num-retained` */
  readonly retained: number;
}

/**
 * A job's completed checkpoints, kept over the change of leaders: the pointers in the fenced store, the content in each `_metadata`.
 * Flink: DefaultCompletedCheckpointStore.
 *
 * Contract: `add` resolves when a successor would restore the checkpoint; only then may tasks be told that it is complete. Files are
 * deleted only after the commit that forgets them, so no leader ever points to what a deposed one deletes. Which files those are is decided by
 * {@link CompletedCheckpointStore}: a checkpoint that is subsumed may hold files that later ones share. The files of the job's own checkpoints are
 * below its directory, which goes with the job; those of a claimed one are elsewhere, so the commit that forgets it notes that they have yet to be deleted.
 */
export class RecoveredCheckpoints {
  readonly #init: RecoveredCheckpointsInit;
  readonly #files: CompletedCheckpointStore;

  private constructor(init: RecoveredCheckpointsInit, files: CompletedCheckpointStore) {
    this.#init = init;
    this.#files = files;
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
    for (const { checkpointId, ...pointer } of pointers) {
      try {
        readable.push({ ...pointer, metadata: await readMetadata(init.env.fs, pointer.path) });
      } catch (error) {
        if (!isMillraceError(error) || !LOST_CHECKPOINT.includes(error.code)) throw error;
        lastError = error;
        init.env.log.write("warn", `checkpoint ${checkpointId} is lost, and output since the one before it may be repeated: ${error.message}`);
      }
    }
    if (readable.length === 0 && lastError !== undefined) throw lastError;
    const { env, pointers: stored } = init;
    void finishDiscards(env.fs, stored, await stored.discards()).catch((error: Error) => env.log.write("warn", `what a claimed checkpoint left behind could not be deleted: ${error.message}`));
    const files = new CompletedCheckpointStore(env, init.retained, ({ metadata: { checkpointId } }) => {
      // Who leads next finds nothing to delete.
      void stored.discarded(checkpointId).catch(() => undefined);
    });
    // Fewer may be retained than before: what goes is forgotten before its files are deleted.
    const dropped = readable.filter((checkpoint) => !retainedOf(readable, init.retained).includes(checkpoint));
    await stored.change([], dropped.map(idOf), dropped.filter(({ claimed }) => claimed === true).map(pointerOf));
    for (const checkpoint of readable) files.add(checkpoint);
    return new RecoveredCheckpoints(init, files);
  }

  get latest(): CompletedCheckpoint | undefined {
    return this.#files.latest;
  }

  /** Oldest first. */
  get all(): readonly CompletedCheckpoint[] {
    return this.#files.all;
  }

  /** Makes `checkpoint` the latest and subsumes what is no longer retained. @throws `LEADERSHIP_LOST`, `HA_UNAVAILABLE` */
  async add(checkpoint: CompletedCheckpoint): Promise<void> {
    const { pointers, retained } = this.#init;
    const keptIds = retainedOf([...this.all, checkpoint], retained).map(idOf);
    // What could not be read is forgotten, too; its files stay, since others may share them.
    const dropped = (await pointers.all()).map((pointer) => pointer.checkpointId).filter((id) => !keptIds.includes(id));
    const discarding = this.all.filter((known) => known.claimed === true && dropped.includes(idOf(known)));
    await pointers.change([pointerOf(checkpoint)], dropped, discarding.map(pointerOf));
    this.#files.add(checkpoint);
  }

  /** The job reached its end and nothing is retained: forgets all, then deletes the files of the job's own. */
  async discardAll(): Promise<void> {
    const known = await this.#init.pointers.all();
    await this.#init.pointers.change([], known.map((pointer) => pointer.checkpointId), this.all.filter(({ claimed }) => claimed === true).map(pointerOf));
    await this.#files.discardAll();
  }

  /** Deletes a checkpoint's directory, of one that did not complete; what cannot be deleted is logged and left. */
  async deleteFiles(path: string): Promise<void> {
    await this.#files.deleteFiles(path);
  }
}

/** The newest of the job's own, and what is from outside (restored from, or a savepoint the job stops behind) until there is a newer one of them. */
function retainedOf(checkpoints: readonly CompletedCheckpoint[], retained: number): readonly CompletedCheckpoint[] {
  const own = checkpoints.filter((candidate) => !candidate.external).slice(-Math.max(1, retained));
  const newestOwn = checkpoints.findLastIndex((candidate) => !candidate.external);
  return checkpoints.filter((candidate, index) => (candidate.external ? index > newestOwn : own.includes(candidate)));
}

function idOf(checkpoint: CompletedCheckpoint): number {
  return checkpoint.metadata.checkpointId;
}

function pointerOf({ metadata: { checkpointId }, ...rest }: CompletedCheckpoint): CheckpointPointer {
  return { checkpointId, ...rest };
}
