import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Configuration } from "@millrace/core";
import type { CommitRequest, FileSystem, SinkWriterContext } from "@millrace/core";
import { LocalFileSystem } from "@millrace/env-node";
import { Decoder } from "@toondepauw/node-zstd";
import type { FileSink, FileSinkCommittable, FileSinkWriterState } from "../../src/index.js";
import { FileSinkWriter } from "../../src/sink/file-sink-writer.js";
import { TestMetrics } from "./metrics.js";

/** A completed checkpoint: everything in it went through JSON. */
export interface SinkCheckpoint {
  readonly id: number;
  readonly offset: number;
  readonly writers: readonly string[];
  readonly committables: readonly string[];
}

/** Time that only moves when a test moves it, with the timers writers register. */
export class ManualTime {
  nowMs: number = Date.UTC(2024, 0, 1);
  readonly #timers = new Set<{ atMs: number; action: () => void | Promise<void> }>();

  register(delayMs: number, action: () => void | Promise<void>): { cancel(): void } {
    const timer = { atMs: this.nowMs + delayMs, action };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }
  async advance(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const timer of Array.from(this.#timers)) {
      if (timer.atMs > this.nowMs || !this.#timers.delete(timer)) continue;
      await timer.action();
    }
  }
}

export function writerContext(over: Partial<SinkWriterContext> & { time?: ManualTime } = {}): SinkWriterContext {
  const time = over.time ?? new ManualTime();
  return {
    jobId: "job-a", operatorId: "sink", subtaskIndex: 0, parallelism: 1, attemptNumber: 0, restoredCheckpointId: undefined,
    clock: { nowMs: () => time.nowMs, monotonicMs: () => time.nowMs, setTimer: () => ({ cancel() {} }), yieldThen: (action) => setImmediate(action) },
    fs: new LocalFileSystem(), config: Configuration.empty, metrics: new TestMetrics(), random: () => 0.5,
    registerTimer: (delayMs, action) => time.register(delayMs, action), log: () => undefined, ...over,
  };
}

/** One attempt of a job with a FileSink: writers, their checkpoints and the committer, in the engine's order of calls. */
export class SinkAttempt<T> {
  readonly writers: FileSinkWriter<T>[] = [];
  readonly time = new ManualTime();
  readonly #sink: FileSink<T>;
  readonly #contexts: SinkWriterContext[];
  #committables: string[] = [];

  constructor(sink: FileSink<T>, parallelism: number, attemptNumber: number, restoredCheckpointId: number | undefined, jobId = "job-a", fs: FileSystem = new LocalFileSystem()) {
    this.#sink = sink;
    this.#contexts = Array.from({ length: parallelism }, (_, subtaskIndex) =>
      writerContext({ subtaskIndex, parallelism, attemptNumber, restoredCheckpointId, jobId, fs, time: this.time }));
  }

  async start(checkpoint?: SinkCheckpoint): Promise<this> {
    for (const context of this.#contexts) {
      const own = checkpoint?.writers.filter((_, k) => k % this.#contexts.length === context.subtaskIndex).map((w) => JSON.parse(w) as FileSinkWriterState) ?? [];
      const writer = own.length > 0 ? await this.#sink.restoreWriter(context, own) : await this.#sink.createWriter(context);
      this.writers.push(writer as FileSinkWriter<T>);
    }
    if (checkpoint !== undefined) await this.commit(checkpoint.committables);
    return this;
  }

  async write(value: T, subtask: number, timestamp?: number): Promise<void> {
    await this.writers[subtask % this.writers.length]!.write(value, { timestamp, currentWatermark: 0 });
  }

  /** Flush, prepareCommit and snapshot of all writers; `until` stops early, like a failure at that point. */
  async checkpoint(id: number, offset: number, endOfInput: boolean, until?: "flush" | "prepareCommit"): Promise<SinkCheckpoint | undefined> {
    for (const writer of this.writers) await writer.flush(endOfInput);
    if (until === "flush") return undefined;
    for (const writer of this.writers) this.#committables.push(...(await writer.prepareCommit()).map((c) => JSON.stringify(c)));
    if (until === "prepareCommit") return undefined;
    const writers: string[] = [];
    for (const writer of this.writers) writers.push(...(await writer.snapshotState()).map((s) => JSON.stringify(s)));
    return { id, offset, writers, committables: [...this.#committables] };
  }

  /** Commits what a completed checkpoint holds, or only the first `count` of it. */
  async commit(committables: readonly string[], count = committables.length): Promise<void> {
    const committer = this.#sink.createCommitter(this.#contexts[0]!);
    await committer.commit(committables.slice(0, count).map((text): CommitRequest<FileSinkCommittable> => ({
      committable: JSON.parse(text) as FileSinkCommittable, numberOfRetries: 0,
      retryLater() { throw new Error("retry"); }, signalAlreadyCommitted() {}, signalFailedWithKnownReason(error) { throw error; },
    })));
    await committer.close();
    this.#committables = this.#committables.filter((c) => !committables.includes(c));
  }

  async close(): Promise<void> {
    for (const writer of this.writers) await writer.close();
  }
}

/** Finished and unfinished files below a directory, relative to it. */
export function filesBelow(dir: string, below = ""): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(join(dir, below), { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? filesBelow(dir, join(below, e.name)) : [join(below, e.name)])).sort();
}

export function visibleLines(dir: string): string[] {
  return filesBelow(dir).filter((f) => !f.endsWith(".inprogress")).flatMap((f) => {
    const bytes = readFileSync(join(dir, f));
    return decompressed(f, bytes).toString("utf8").split("\n").slice(0, -1);
  });
}

/** By other libraries than those that wrote. */
function decompressed(file: string, bytes: Buffer): Buffer {
  if (file.endsWith(".gz")) return gunzipSync(bytes);
  return file.endsWith(".zst") ? new Decoder().decodeSync(bytes) : bytes;
}
