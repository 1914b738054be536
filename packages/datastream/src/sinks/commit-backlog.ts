/** As many values may be written while a commit waits, however small that is. */
const LEAST_AHEAD = 1024;

/**
 * How far a writer is ahead of what its committer has given to the program. A program that takes nothing would otherwise leave more and more committables in
 * the sink's memory, and in every checkpoint. One for a writer and its committer.
 *
 * Nobody waits for a checkpoint here, which may need the writer to go on: only for a commit that has begun, and so for the program alone.
 */
export class CommitBacklog {
  readonly #prepared = new Set<object>();
  /** Values of the commit that goes on; 0 when none does. */
  #committing = 0;
  #over: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  prepared(committable: object): void {
    this.#prepared.add(committable);
  }

  async whileCommitting(committables: readonly object[], values: number, commit: () => Promise<void>): Promise<void> {
    this.#committing = values;
    try {
      await commit();
    } finally {
      for (const committable of committables) this.#prepared.delete(committable);
      this.#committing = 0;
      this.#over?.resolve();
      this.#over = undefined;
    }
  }

  /** What a writer has to wait for that has so many values since it prepared the last committable; nothing while it may go on. */
  wait(written: number): Promise<void> | undefined {
    if (this.#committing === 0) return undefined;
    const next = this.#prepared.size;
    // One checkpoint may come while a commit goes on; half as much then, so that what waits becomes less and not more.
    if (next <= 1 && written < Math.max(LEAST_AHEAD, this.#committing / 2)) return undefined;
    if (this.#over === undefined) {
      let resolve!: () => void;
      const promise = new Promise<void>((done) => (resolve = done));
      this.#over = { promise, resolve };
    }
    return this.#over.promise;
  }
}
