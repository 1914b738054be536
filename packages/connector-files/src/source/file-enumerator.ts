import type { FileStatus, SplitEnumerator, SplitEnumeratorContext } from "@millrace/core";
import { evenSplitBytes, splitsOf } from "./file-source-split.js";
import type { FileSourceSplit } from "./file-source-split.js";

/** The enumerator's part of a checkpoint. */
export interface FileEnumeratorState {
  /** Splits nobody reads yet. */
  readonly pending: readonly FileSourceSplit[];
  /** Files that have been found already; only kept while a directory is watched. */
  readonly knownPaths: readonly string[];
}

export interface FileDiscovery {
  /** Finds the source's files as they are now. The first look of a job is the one that refuses missing paths. */
  find(isFirst: boolean): Promise<FileStatus[]>;
  /** Whether a file is cut into splits. */
  isSplit(path: string): boolean;
  /** How large splits shall be, if somebody says. */
  readonly splitSizeBytes: number | undefined;
  /** Time between two looks; `undefined` reads what is there at the start and ends. */
  readonly intervalMs: number | undefined;
}

/**
 * Finds files, cuts them into splits and hands these out one by one as readers ask: the largest first when the input is bounded (so that no long one is
 * left for the end), the oldest file first when it is watched (so that event time moves on).
 */
export class FileEnumerator implements SplitEnumerator<FileSourceSplit, FileEnumeratorState> {
  readonly #context: SplitEnumeratorContext<FileSourceSplit>;
  readonly #discovery: FileDiscovery;
  readonly #known: Set<string>;
  readonly #restored: boolean;
  readonly #waiting = new Set<number>();
  #pending: FileSourceSplit[];
  #started: boolean = false;

  constructor(context: SplitEnumeratorContext<FileSourceSplit>, discovery: FileDiscovery, restored: FileEnumeratorState | undefined) {
    this.#context = context;
    this.#discovery = discovery;
    this.#restored = restored !== undefined;
    this.#pending = [...(restored?.pending ?? [])];
    this.#known = new Set(restored?.knownPaths);
  }

  async start(): Promise<void> {
    const { intervalMs } = this.#discovery;
    // A restored bounded source reads the files it began with, whatever has come since.
    if (!this.#restored || intervalMs !== undefined) this.#add(await this.#discovery.find(!this.#restored));
    this.#started = true;
    this.#serve();
    if (intervalMs === undefined) return;
    this.#context.callAsync(
      () => this.#discovery.find(false),
      (files, error) => {
        if (files === undefined) throw error;
        this.#add(files);
        this.#serve();
      },
      intervalMs,
    );
  }

  handleSplitRequest(subtask: number): void {
    this.#waiting.add(subtask);
    this.#serve();
  }

  addSplitsBack(splits: readonly FileSourceSplit[], _subtask: number): void {
    this.#pending.unshift(...splits);
    this.#serve();
  }

  /** Readers ask by themselves. */
  addReader(_subtask: number): void {}

  snapshotState(): FileEnumeratorState {
    return { pending: [...this.#pending], knownPaths: this.#discovery.intervalMs === undefined ? [] : [...this.#known] };
  }

  #serve(): void {
    if (!this.#started) return;
    const registered = new Set(this.#context.registeredReaders());
    for (const subtask of this.#waiting) {
      // One that failed asks again when it is back.
      if (!registered.has(subtask)) {
        this.#waiting.delete(subtask);
        continue;
      }
      const split = this.#pending.shift();
      if (split !== undefined) this.#context.assignSplit(split, subtask);
      else if (this.#discovery.intervalMs === undefined) this.#context.signalNoMoreSplits(subtask);
      else return;
      this.#waiting.delete(subtask);
    }
  }

  #add(files: readonly FileStatus[]): void {
    const watched = this.#discovery.intervalMs !== undefined;
    // An empty file has no records, and while a directory is watched it may still be filled.
    const fresh = files.filter((file) => file.sizeBytes > 0 && !this.#known.has(file.path));
    if (watched) fresh.sort((a, b) => a.modifiedMs - b.modifiedMs || (a.path < b.path ? -1 : 1));
    const splitSizeBytes = this.#discovery.splitSizeBytes ?? evenSplitBytes(fresh.reduce((total, file) => total + file.sizeBytes, 0), this.#context.parallelism);
    const splits = fresh.flatMap(({ path, sizeBytes }) => splitsOf(path, sizeBytes, this.#discovery.isSplit(path) ? splitSizeBytes : Number.POSITIVE_INFINITY));
    if (!watched) splits.sort((a, b) => b.endByte - b.startByte - (a.endByte - a.startByte));
    for (const file of fresh) this.#known.add(file.path);
    this.#pending.push(...splits);
  }
}
