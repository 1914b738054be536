import { MillraceError, type SourceSplit, type SplitEnumerator, type SplitEnumeratorContext } from "@millrace/core";
import type { HybridEnumeratorEvent, HybridReaderEvent } from "./hybrid-events.js";
import type { HybridSplit, HybridStage } from "./hybrid-source.js";

/** What a hybrid source's enumerator keeps in a checkpoint: which source it is at, and that one's own state. */
export interface HybridState {
  readonly sourceIndex: number;
  readonly position: unknown;
  /** State of the enumerator of that source. */
  readonly inner: unknown;
}

/**
 * Runs the enumerator of one source after the other.
 *
 * A reader belongs to the source it was told to switch to. The next source begins when every reader said that it has finished the current one, so a split that is
 * being read is always one of the current source.
 */
export class HybridEnumerator implements SplitEnumerator<HybridSplit, HybridState> {
  readonly #stages: readonly HybridStage[];
  readonly #context: SplitEnumeratorContext<HybridSplit>;
  readonly #restored: HybridState | undefined;
  #sourceIndex: number;
  #position: unknown;
  #inner: SplitEnumerator<SourceSplit, unknown> | undefined;
  /** Readers that were switched to the current source, and those of them that are done with it. */
  #readers = new Set<number>();
  #finished = new Set<number>();
  /** Readers that asked for a source while its enumerator was still being made. */
  readonly #waiting = new Set<number>();

  constructor(stages: readonly HybridStage[], context: SplitEnumeratorContext<HybridSplit>, restored: HybridState | undefined) {
    this.#stages = stages;
    this.#context = context;
    this.#restored = restored;
    this.#sourceIndex = restored?.sourceIndex ?? 0;
    this.#position = restored?.position;
  }

  /** All sources before the last read what has been there for long. */
  get #isLast(): boolean {
    return this.#sourceIndex + 1 === this.#stages.length;
  }

  async start(): Promise<void> {
    this.#context.setIsProcessingBacklog(!this.#isLast);
    const { create } = this.#stages[this.#sourceIndex]!;
    this.#begin(await create(this.#position).createEnumerator(this.#innerContext(this.#sourceIndex), this.#restored?.inner));
    await this.#inner!.start();
  }

  addReader(): void {}
  handleSplitRequest(subtask: number): void {
    this.#inner!.handleSplitRequest?.(subtask);
  }
  addSplitsBack(splits: readonly HybridSplit[], subtask: number): void {
    const stale = splits.find((split) => split.sourceIndex !== this.#sourceIndex);
    if (stale !== undefined) throw new MillraceError({ code: "HYBRID_SPLIT_STALE", message: `split "${stale.splitId}" came back after its source was left`, recovery: "restart" });
    this.#readers.delete(subtask);
    this.#finished.delete(subtask);
    this.#inner!.addSplitsBack(splits.map((split) => split.inner), subtask);
  }

  handleSourceEvent(subtask: number, event: unknown): void {
    const message = event as HybridReaderEvent;
    if (message.hybrid === "inner") {
      if (message.sourceIndex === this.#sourceIndex) this.#inner!.handleSourceEvent?.(subtask, message.event);
    } else if (message.sourceIndex < this.#sourceIndex) {
      this.#switch(subtask);
    } else {
      this.#finished.add(subtask);
      if (this.#finished.size === this.#context.parallelism && this.#sourceIndex + 1 < this.#stages.length) this.#next();
    }
  }

  async snapshotState(checkpointId: number): Promise<HybridState> {
    // Read before waiting: the source may change meanwhile, and its state would not belong to this index.
    const sourceIndex = this.#sourceIndex;
    const position = this.#position;
    return { sourceIndex, position, inner: await this.#inner?.snapshotState(checkpointId) };
  }
  notifyCheckpointComplete(checkpointId: number): void {
    this.#inner?.notifyCheckpointComplete?.(checkpointId);
  }
  async close(): Promise<void> {
    await this.#inner?.close?.();
  }

  #next(): void {
    const previous = this.#inner!;
    const stage = this.#stages[this.#sourceIndex + 1]!;
    this.#position = stage.positionOf?.(previous);
    this.#sourceIndex++;
    this.#context.setIsProcessingBacklog(!this.#isLast);
    this.#inner = undefined;
    const readers = [...this.#finished];
    this.#readers = new Set();
    this.#finished = new Set();
    this.#context.callAsync(
      async () => {
        await previous.close?.();
        const inner = await stage.create(this.#position).createEnumerator(this.#innerContext(this.#sourceIndex), undefined);
        await inner.start();
        return inner;
      },
      (inner, error) => {
        if (error !== undefined && error !== null) throw error;
        for (const reader of readers) this.#waiting.add(reader);
        this.#begin(inner!);
      },
    );
  }

  #begin(inner: SplitEnumerator<any, unknown>): void {
    this.#inner = inner;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const subtask of waiting) this.#switch(subtask);
  }

  /** Sends a reader to the current source. */
  #switch(subtask: number): void {
    if (this.#inner === undefined) {
      this.#waiting.add(subtask);
      return;
    }
    const event: HybridEnumeratorEvent = { hybrid: "switch", sourceIndex: this.#sourceIndex, position: this.#position };
    this.#context.sendEventToReader(subtask, event);
    this.#readers.add(subtask);
    this.#inner.addReader(subtask);
  }

  #innerContext(sourceIndex: number): SplitEnumeratorContext<SourceSplit> {
    const context = this.#context;
    const position = this.#position;
    return {
      parallelism: context.parallelism,
      metrics: context.metrics,
      fs: context.fs,
      clock: context.clock,
      config: context.config,
      registeredReaders: () => [...this.#readers],
      assignSplit: (inner, subtask) => context.assignSplit({ splitId: `${sourceIndex}:${inner.splitId}`, sourceIndex, position, inner }, subtask),
      signalNoMoreSplits: (subtask) => context.signalNoMoreSplits(subtask),
      setIsProcessingBacklog: (isProcessing) => {
        if (this.#isLast) context.setIsProcessingBacklog(isProcessing);
      },
      sendEventToReader: (subtask, event) => context.sendEventToReader(subtask, { hybrid: "inner", sourceIndex, event } satisfies HybridEnumeratorEvent),
      callAsync: (work, handle, periodMs) =>
        context.callAsync(
          work,
          (result, error) => {
            // A periodic discovery of a source that was left has nobody to report to.
            if (sourceIndex === this.#sourceIndex) handle(result, error);
          },
          periodMs,
        ),
    };
  }
}
