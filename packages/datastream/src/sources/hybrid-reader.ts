import type { InputStatus, ReaderOutput, SourceReader, SourceReaderContext, SourceSplit } from "@millrace/core";
import type { HybridEnumeratorEvent, HybridReaderEvent } from "./hybrid-events.js";
import type { HybridSplit, HybridStage } from "./hybrid-source.js";

/** Runs the reader of one source after the other, as the enumerator says. */
export class HybridReader<T> implements SourceReader<T, HybridSplit> {
  readonly #stages: readonly HybridStage[];
  readonly #context: SourceReaderContext;
  #sourceIndex = -1;
  #position: unknown;
  #inner: SourceReader<T, SourceSplit> | undefined;
  /** The current source is read to its end; the enumerator will say what comes next. */
  #finished = false;
  /** Splits that came before their source. */
  #early: HybridSplit[] = [];
  #starting: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(stages: readonly HybridStage[], context: SourceReaderContext) {
    this.#stages = stages;
    this.#context = context;
  }

  start(): void {
    this.#sendFinished((this.#early[0]?.sourceIndex ?? 0) - 1);
  }

  pollNext(output: ReaderOutput<T>): InputStatus {
    if (this.#inner === undefined || this.#finished || this.#starting !== undefined) return "nothing-available";
    const status = this.#inner.pollNext(withSourceIndex(output, this.#sourceIndex));
    if (status !== "end-of-input" || this.#sourceIndex === this.#stages.length - 1) return status;
    this.#finished = true;
    this.#sendFinished(this.#sourceIndex);
    return "nothing-available";
  }

  async available(): Promise<void> {
    if (this.#starting !== undefined) return this.#starting;
    if (this.#inner !== undefined && !this.#finished) return this.#inner.available();
    return new Promise((resolve) => (this.#wake = resolve));
  }

  addSplits(splits: readonly HybridSplit[]): void {
    const now = splits.filter((split) => split.sourceIndex === this.#sourceIndex);
    this.#early.push(...splits.filter((split) => split.sourceIndex !== this.#sourceIndex));
    if (now.length > 0) this.#inner!.addSplits(now.map((split) => split.inner));
  }
  notifyNoMoreSplits(): void {
    this.#inner?.notifyNoMoreSplits();
  }

  handleSourceEvent(event: unknown): void {
    const message = event as HybridEnumeratorEvent;
    if (message.hybrid === "switch") this.#switch(message.sourceIndex, message.position);
    else if (message.sourceIndex === this.#sourceIndex) this.#inner?.handleSourceEvent?.(message.event);
  }

  async snapshotState(checkpointId: number): Promise<readonly HybridSplit[]> {
    const sourceIndex = this.#sourceIndex;
    const position = this.#position;
    const early = [...this.#early];
    const splits = (await this.#inner?.snapshotState(checkpointId)) ?? [];
    return [...splits.map((inner) => ({ splitId: `${sourceIndex}:${inner.splitId}`, sourceIndex, position, inner })), ...early];
  }
  notifyCheckpointComplete(checkpointId: number): void | Promise<void> {
    return this.#inner?.notifyCheckpointComplete?.(checkpointId);
  }
  notifyCheckpointAborted(checkpointId: number): void | Promise<void> {
    return this.#inner?.notifyCheckpointAborted?.(checkpointId);
  }
  pauseOrResumeSplits(pause: readonly string[], resume: readonly string[]): void {
    const prefix = `${this.#sourceIndex}:`;
    const own = (ids: readonly string[]): string[] => ids.filter((id) => id.startsWith(prefix)).map((id) => id.slice(prefix.length));
    this.#inner?.pauseOrResumeSplits?.(own(pause), own(resume));
  }
  async close(): Promise<void> {
    await this.#inner?.close();
  }

  #switch(sourceIndex: number, position: unknown): void {
    if (sourceIndex <= this.#sourceIndex) return;
    const previous = this.#inner;
    this.#sourceIndex = sourceIndex;
    this.#position = position;
    this.#finished = false;
    const inner = this.#stages[sourceIndex]!.create(position).createReader({
      subtaskIndex: this.#context.subtaskIndex,
      parallelism: this.#context.parallelism,
      clock: this.#context.clock,
      fs: this.#context.fs,
      config: this.#context.config,
      metrics: this.#context.metrics,
      ...(this.#context.net === undefined ? {} : { net: this.#context.net }),
      random: () => this.#context.random(),
      sendSplitRequest: () => this.#context.sendSplitRequest(),
      sendSourceEvent: (event) => this.#context.sendSourceEvent({ hybrid: "inner", sourceIndex, event } satisfies HybridReaderEvent),
    }) as SourceReader<T, SourceSplit>;
    this.#inner = inner;
    const early = this.#early;
    this.#early = [];
    this.addSplits(early);
    this.#starting = (async () => {
      await previous?.close();
      await inner.start();
    })();
    this.#starting.then(
      () => (this.#starting = undefined),
      // Kept: `available` hands the failure to the task.
      () => {},
    );
    this.#wake?.();
    this.#wake = undefined;
  }

  #sendFinished(sourceIndex: number): void {
    this.#context.sendSourceEvent({ hybrid: "finished", sourceIndex } satisfies HybridReaderEvent);
  }
}

/** Split ids are told apart by source, as in {@link HybridSplit.splitId}. */
function withSourceIndex<T>(output: ReaderOutput<T>, sourceIndex: number): ReaderOutput<T> {
  return {
    collect: (value, timestampMs) => output.collect(value, timestampMs),
    collectBatch: (values, timestampsMs) => output.collectBatch(values, timestampsMs),
    collectGenerated: (generate, first, count) => output.collectGenerated(generate, first, count),
    sideOutput: (tagId, value, timestampMs) => output.sideOutput(tagId, value, timestampMs),
    forSplit: (splitId) => output.forSplit(`${sourceIndex}:${splitId}`),
    releaseSplit: (splitId) => output.releaseSplit(`${sourceIndex}:${splitId}`),
    get full(): boolean {
      return output.full;
    },
  };
}
