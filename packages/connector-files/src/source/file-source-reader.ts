import { ReaderAvailability } from "@millrace/core";
import type { InputStatus, ReaderOutput, SourceReader, SourceReaderContext } from "@millrace/core";
import type { FileSourceSplit } from "./file-source-split.js";
import type { SplitPoller, SplitPollerFactory } from "./split-poller.js";

/** Bounds open files and memory when splits are small. */
const OPEN_SPLITS = 3;

/** Reads the splits of one subtask, one after the other, and fetches for the next while the current one is still being decoded. */
export class FileSourceReader<T> implements SourceReader<T, FileSourceSplit> {
  readonly #context: SourceReaderContext;
  readonly #createPoller: SplitPollerFactory<T>;
  readonly #paused = new Set<string>();
  readonly #wake = (): void => this.#availability.signal();
  #splits: SplitPoller<T>[] = [];
  #requested: boolean = false;
  #noMoreSplits: boolean = false;
  readonly #availability = new ReaderAvailability();

  constructor(context: SourceReaderContext, createPoller: SplitPollerFactory<T>) {
    this.#context = context;
    this.#createPoller = createPoller;
  }

  start(): void {
    if (this.#splits.length === 0) this.#request();
  }

  pollNext(output: ReaderOutput<T>): InputStatus {
    this.#availability.reset();
    for (;;) {
      const current = this.#splits.find((reader) => !this.#paused.has(reader.split.splitId));
      if (current === undefined) return this.#idle();
      const { splitId } = current.split;
      const result = current.poll(output.forSplit(splitId));
      this.#readAhead();
      if (result === "emitted") return "more-available";
      if (result === "wait") return "nothing-available";
      output.releaseSplit(splitId);
      this.#splits = this.#splits.filter((reader) => reader !== current);
      current.close().catch(() => undefined);
      this.#readAhead();
    }
  }

  available(): Promise<void> {
    return this.#availability.wait();
  }

  addSplits(splits: readonly FileSourceSplit[]): void {
    this.#requested = false;
    for (const split of splits) this.#splits.push(this.#createPoller(split, this.#wake));
    this.#availability.signal();
  }

  notifyNoMoreSplits(): void {
    this.#noMoreSplits = true;
    this.#availability.signal();
  }

  snapshotState(): readonly FileSourceSplit[] {
    return this.#splits.map((reader) => reader.snapshot());
  }

  pauseOrResumeSplits(pause: readonly string[], resume: readonly string[]): void {
    for (const splitId of pause) this.#paused.add(splitId);
    for (const splitId of resume) this.#paused.delete(splitId);
    this.#availability.signal();
  }

  async close(): Promise<void> {
    await Promise.all(this.#splits.map((reader) => reader.close()));
  }

  #idle(): InputStatus {
    if (this.#splits.length === 0 && this.#noMoreSplits) return "end-of-input";
    if (this.#splits.length === 0) this.#request();
    return "nothing-available";
  }

  /** Opens the next split, or asks for one, once all bytes of those before are in memory: not sooner, lest one reader hoards what others could read. */
  #readAhead(): void {
    for (const reader of this.#splits.slice(0, OPEN_SPLITS)) {
      reader.open();
      if (!reader.fetched) return;
    }
    if (this.#splits.length < OPEN_SPLITS) this.#request();
  }

  #request(): void {
    if (this.#requested || this.#noMoreSplits) return;
    this.#requested = true;
    this.#context.sendSplitRequest();
  }
}
