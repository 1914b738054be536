import type { SplitEnumerator, SplitEnumeratorContext, SourceSplit } from "@millrace/core";

/** Enumerator state: the splits nobody reads. */
export interface UnassignedSplits<S> {
  readonly splits: readonly S[];
}

/**
 * Hands out a fixed list of splits, one per request, and tells readers when there are no more. The enumerator of sources whose splits are known from the start.
 */
export class FixedSplitEnumerator<S extends SourceSplit> implements SplitEnumerator<S, UnassignedSplits<S>> {
  readonly #context: SplitEnumeratorContext<S>;
  #splits: S[];

  constructor(context: SplitEnumeratorContext<S>, splits: readonly S[]) {
    this.#context = context;
    this.#splits = [...splits];
  }

  start(): void {}
  addReader(): void {}
  handleSplitRequest(subtask: number): void {
    const split = this.#splits.shift();
    if (split === undefined) this.#context.signalNoMoreSplits(subtask);
    else this.#context.assignSplit(split, subtask);
  }
  addSplitsBack(splits: readonly S[]): void {
    this.#splits.push(...splits);
  }
  snapshotState(): UnassignedSplits<S> {
    return { splits: [...this.#splits] };
  }
}
