import type { CheckpointOptions } from "../protocol/deployment.js";

/** Where a task stands when its job stops behind a savepoint: from its snapshot on it waits until that is complete, or was given up. */
export class TaskStop {
  #stop: { readonly checkpointId: number; readonly drains: boolean; complete: boolean } | undefined;

  /** Nothing is processed any more, although the input has not ended. */
  get suspends(): boolean {
    return this.#stop?.drains === false;
  }

  /** The snapshot is taken, and the savepoint neither complete nor given up. */
  get isUndecided(): boolean {
    return this.#stop?.complete === false;
  }

  begin(checkpointId: number, stop: NonNullable<CheckpointOptions["stop"]>): void {
    this.#stop = { checkpointId, drains: stop === "drain", complete: false };
  }

  /** True when a suspended task is to go on: nothing was processed since the snapshot, so it is as if it had never been asked to stop. */
  ended(checkpointId: number, complete: boolean): boolean {
    const stop = this.#stop;
    if (stop?.checkpointId !== checkpointId) return false;
    stop.complete ||= complete;
    if (complete || stop.drains) return false;
    this.#stop = undefined;
    return true;
  }
}
