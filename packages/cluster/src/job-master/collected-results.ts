/** Takes released results, in order per (collectId, subtask). What it returns resolves when more may come. */
export type ResultTaker = (collectId: string, subtaskIndex: number, batch: ArrayBuffer) => void | Promise<void>;

interface HeldBatch {
  readonly collectId: string;
  readonly subtaskIndex: number;
  readonly batch: ArrayBuffer;
  readonly afterCheckpoint: number;
  /** Index of the region it comes from. */
  readonly region: number;
}

/**
 * Results on their way from sinks to the program. With `hold`, they wait for the checkpoint that covers them, so that a failure never shows a
 * result twice; what is still held when the job fails will be produced again.
 */
export class CollectedResults {
  readonly #hold: boolean;
  readonly #take: ResultTaker;
  #held: HeldBatch[] = [];

  constructor(hold: boolean, take: ResultTaker) {
    this.#hold = hold;
    this.#take = take;
  }

  /** @returns when it may be told that the batch was taken; one that is held has been */
  add(batch: HeldBatch): void | Promise<void> {
    if (!this.#hold) return this.#take(batch.collectId, batch.subtaskIndex, batch.batch);
    this.#held.push(batch);
  }

  checkpointComplete(checkpointId: number): void {
    const waiting = this.#held;
    this.#held = [];
    for (const batch of waiting) {
      if (batch.afterCheckpoint < checkpointId) void this.#take(batch.collectId, batch.subtaskIndex, batch.batch);
      else this.#held.push(batch);
    }
  }

  /** A region, or all of the job, goes back to the last checkpoint. */
  drop(region?: number): void {
    this.#held = region === undefined ? [] : this.#held.filter((batch) => batch.region !== region);
  }

  /** The job finished: nothing can be produced again. */
  releaseAll(): void {
    this.checkpointComplete(Number.POSITIVE_INFINITY);
  }
}
