import type { InputStatus, ReaderOutput, SourceReader, SourceReaderContext, SourceSplit } from "@millrace/core";

/** What reads one split. */
export interface SplitCursor<T, S extends SourceSplit> {
  /** Emits a bounded number of records. */
  poll(output: ReaderOutput<T>): InputStatus;
  /** Only asked after `nothing-available`. */
  available(): Promise<void>;
  /** The split with its position: everything emitted so far is behind it. */
  snapshot(): S;
  notifyCheckpointComplete?(checkpointId: number): void;
  close?(): void | Promise<void>;
}

/** A reader that reads one split after the other, and asks for the next when one is done. */
export class SequentialReader<T, S extends SourceSplit> implements SourceReader<T, S> {
  readonly #context: SourceReaderContext;
  readonly #open: (split: S) => SplitCursor<T, S>;
  #pending: S[] = [];
  #cursor: SplitCursor<T, S> | undefined;
  #requested = false;
  #noMoreSplits = false;
  #wake: (() => void) | undefined;

  constructor(context: SourceReaderContext, open: (split: S) => SplitCursor<T, S>) {
    this.#context = context;
    this.#open = open;
  }

  start(): void {
    if (this.#pending.length === 0) this.#request();
  }

  pollNext(output: ReaderOutput<T>): InputStatus {
    if (this.#cursor === undefined) {
      const split = this.#pending.shift();
      if (split === undefined) {
        if (this.#noMoreSplits) return "end-of-input";
        this.#request();
        return "nothing-available";
      }
      this.#cursor = this.#open(split);
    }
    const status = this.#cursor.poll(output);
    if (status !== "end-of-input") return status;
    const ended = this.#cursor;
    this.#cursor = undefined;
    output.releaseSplit(ended.snapshot().splitId);
    void ended.close?.();
    return "more-available";
  }

  available(): Promise<void> {
    if (this.#cursor !== undefined) return this.#cursor.available();
    if (this.#pending.length > 0 || this.#noMoreSplits) return Promise.resolve();
    return new Promise((resolve) => (this.#wake = resolve));
  }

  addSplits(splits: readonly S[]): void {
    this.#requested = false;
    this.#pending.push(...splits);
    this.#wake?.();
  }
  notifyNoMoreSplits(): void {
    this.#noMoreSplits = true;
    this.#wake?.();
  }

  snapshotState(): readonly S[] {
    return this.#cursor === undefined ? [...this.#pending] : [this.#cursor.snapshot(), ...this.#pending];
  }
  notifyCheckpointComplete(checkpointId: number): void {
    this.#cursor?.notifyCheckpointComplete?.(checkpointId);
  }
  async close(): Promise<void> {
    await this.#cursor?.close?.();
  }

  #request(): void {
    if (this.#requested) return;
    this.#requested = true;
    this.#context.sendSplitRequest();
  }
}
