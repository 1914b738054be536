import type { CompletedCheckpoint } from "./completed-checkpoint-store.js";

/** What a JobMaster keeps its completed checkpoints in: memory, or, with high availability, what the next leader reads, too. */
export interface CheckpointStore {
  readonly latest: CompletedCheckpoint | undefined;
  /** Oldest first. */
  readonly all: readonly CompletedCheckpoint[];
  /** Makes `checkpoint` the latest. Once it has resolved, and not before, others may be told that it is complete. */
  add(checkpoint: CompletedCheckpoint): void | Promise<void>;
  /** Deletes all of this job's checkpoints, when it ended and nothing is to be retained. */
  discardAll(): Promise<void>;
  /** Deletes a directory; what cannot be deleted is logged and left. */
  deleteFiles(path: string): Promise<void>;
  /** Reads what earlier leaders completed; called once, before anything else. */
  recover?(): Promise<void>;
  /** Takes the next checkpoint's id, where several leaders share them; `undefined` when it has yet to be reserved: then `ready` is called once it is. */
  takeId?(ready: () => void): number | undefined;
}
