import { Configuration } from "@millrace/core";
import type { FileSystem, InputStatus, ReaderOutput, SourceReader, SplitEnumerator, SplitEnumeratorContext } from "@millrace/core";
import type { FileEnumeratorState, FileSource, FileSourceSplit } from "../../src/index.js";
import { LocalFileSystem } from "@millrace/env-node";
import { TestMetrics } from "./metrics.js";

const clock = { nowMs: () => 0, monotonicMs: () => 0, setTimer: () => ({ cancel() {} }), yieldThen: (action: () => void) => setImmediate(action) };

export interface Snapshot {
  readonly enumerator: string;
  readonly readers: readonly string[];
}

/** Runs a FileSource the way the engine does: enumerator, `parallelism` readers, snapshots through JSON. */
export class SourceDriver<T> {
  readonly records: T[] = [];
  readonly sideOutputs: { tag: string; value: unknown }[] = [];
  readonly metrics = new TestMetrics();
  readonly readers: { reader: SourceReader<T, FileSourceSplit>; done: boolean }[] = [];
  readonly assigned: { splitId: string; subtask: number }[] = [];
  readonly released: string[] = [];
  #enumerator!: SplitEnumerator<FileSourceSplit, FileEnumeratorState>;
  #periodic: (() => Promise<void>) | undefined;
  readonly fs: FileSystem;
  readonly #source: FileSource<T>;
  readonly #parallelism: number;

  constructor(source: FileSource<T>, parallelism = 1, fs: FileSystem = new LocalFileSystem()) {
    this.#source = source;
    this.#parallelism = parallelism;
    this.fs = fs;
  }

  async start(restored?: Snapshot): Promise<this> {
    const context: SplitEnumeratorContext<FileSourceSplit> = {
      parallelism: this.#parallelism,
      registeredReaders: () => this.readers.map((_, i) => i),
      assignSplit: (split, subtask) => {
        this.assigned.push({ splitId: split.splitId, subtask });
        this.readers[subtask]!.reader.addSplits([JSON.parse(JSON.stringify(split)) as FileSourceSplit]);
      },
      signalNoMoreSplits: (subtask) => this.readers[subtask]!.reader.notifyNoMoreSplits(),
      sendEventToReader: () => undefined,
      setIsProcessingBacklog: () => undefined,
      callAsync: (work, handle) => {
        this.#periodic = async () => {
          const [result, error] = await work().then((r) => [r, undefined] as const, (e: unknown) => [undefined, e] as const);
          handle(result, error);
        };
      },
      metrics: this.metrics, fs: this.fs, clock, config: Configuration.empty,
    };
    const state = restored && (JSON.parse(restored.enumerator) as FileEnumeratorState);
    this.#enumerator = await this.#source.createEnumerator(context, state);
    const splits = restored?.readers.map((r) => JSON.parse(r) as FileSourceSplit[]).flat() ?? [];
    for (let i = 0; i < this.#parallelism; i++) {
      const reader = this.#source.createReader({
        subtaskIndex: i, parallelism: this.#parallelism, clock, fs: this.fs, config: Configuration.empty, metrics: this.metrics,
        random: () => 0.5, sendSourceEvent: () => undefined, sendSplitRequest: () => queueMicrotask(() => this.#enumerator.handleSplitRequest!(i)),
      });
      this.readers.push({ reader, done: false });
      const own = splits.filter((_, k) => k % this.#parallelism === i);
      if (own.length > 0) reader.addSplits(own);
    }
    await this.#enumerator.start();
    for (const { reader } of this.readers) await reader.start();
    return this;
  }

  readonly #output: ReaderOutput<T> = {
    collect: (value) => void this.records.push(value),
    collectBatch: (values) => {
      for (const value of values) this.records.push(value);
      values.length = 0;
    },
    collectGenerated: (generate, first, count) => {
      for (let i = 0; i < count; i++) this.records.push(generate(first + i));
    },
    sideOutput: (tag, value) => void this.sideOutputs.push({ tag, value }),
    forSplit: () => this.#output,
    releaseSplit: (splitId) => void this.released.push(splitId),
    full: false,
  };

  /** One `pollNext` of a reader; waits when there is nothing. */
  async step(subtask: number): Promise<InputStatus> {
    const entry = this.readers[subtask]!;
    if (entry.done) return "end-of-input";
    const status = entry.reader.pollNext(this.#output);
    if (status === "end-of-input") entry.done = true;
    else if (status === "nothing-available") await entry.reader.available();
    return status;
  }

  /** Runs until all readers ended, or `polls` polls were made; true when ended. */
  async run(polls = Number.POSITIVE_INFINITY): Promise<boolean> {
    for (let i = 0; i < polls; ) {
      if (this.readers.every((r) => r.done)) return true;
      const open = this.readers.map((r, k) => (r.done ? -1 : k)).filter((k) => k >= 0);
      const results = await Promise.all(open.map((k) => this.step(k)));
      i += results.filter((r) => r === "more-available").length;
      if (results.includes("nothing-available")) await new Promise((resolve) => setImmediate(resolve));
    }
    return false;
  }

  /** Runs until `count` records are there (for unbounded sources). */
  async runTo(count: number): Promise<void> {
    while (this.records.length < count) await Promise.all(this.readers.map((_, k) => Promise.race([this.step(k), new Promise((r) => setImmediate(r))])));
  }

  async rediscover(): Promise<void> {
    await this.#periodic!();
  }

  async snapshot(): Promise<Snapshot> {
    const readers = await Promise.all(this.readers.map(async ({ reader }) => JSON.stringify(await reader.snapshotState(1))));
    return { enumerator: JSON.stringify(await this.#enumerator.snapshotState(1)), readers };
  }

  async close(): Promise<void> {
    await Promise.all(this.readers.map(({ reader }) => reader.close()));
    await this.#enumerator.close?.();
  }
}

/** Reads everything a bounded source has. */
export async function readAll<T>(source: FileSource<T>, parallelism = 1, fs?: FileSystem): Promise<SourceDriver<T>> {
  const driver = await new SourceDriver(source, parallelism, fs).start();
  try {
    await driver.run();
    return driver;
  } finally {
    await driver.close();
  }
}
