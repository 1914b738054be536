import { MillraceError } from "@millrace/core";
import type { JobClient } from "@millrace/graph";
import type { ResultCollector } from "../environment/stream-execution-environment.js";
import { CollectSink, type CollectedChunk } from "../sinks/collect-sink.js";
import type { DataStream } from "./data-stream.js";

const TRIM_AT = 10_000;

/** How results are collected. */
export interface CollectOptions {
  readonly jobName?: string;
  /** Cancels the job once this many records have come. */
  readonly limit?: number;
}

/**
 * A stream's records as they reach the program, for one `for await` loop.
 *
 * What has come and was not taken yet waits in memory, without bound. Ends when the job has finished; throws what the job failed with.
 * Leaving the loop early cancels the job when iterating started it, else only stops taking.
 */
export class CollectedRecords<T> implements AsyncIterable<T> {
  readonly #start: () => Promise<unknown>;
  #queue: T[] = [];
  #next = 0;
  readonly #expected = new Map<number, number>();
  #client: JobClient | undefined;
  #submitted = false;
  #ownsJob = false;
  #taken = false;
  #ended: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  /** `start` runs the job when iteration begins before anybody else did. */
  constructor(start: () => Promise<unknown>) {
    this.#start = start;
  }

  /** How the environment hands over results and the job. */
  readonly collector: ResultCollector = {
    accept: (chunks, subtaskIndex) => {
      for (const chunk of chunks as readonly CollectedChunk<T>[]) this.#accept(chunk, subtaskIndex);
      this.#wake?.();
    },
    submitted: (client) => {
      this.#submitted = true;
      this.#client = client;
      client.getJobExecutionResult().then(() => this.#end(undefined), (error: unknown) => this.#end(error));
    },
    failed: (error) => this.#end(error),
  };

  [Symbol.asyncIterator](): AsyncIterator<T> {
    if (this.#taken) throw new MillraceError({ code: "COLLECT_TAKEN", message: "the collected records are already being read", hint: "call collectAsync() once per loop, before the job starts" });
    this.#taken = true;
    return { next: () => this.#nextResult(), return: () => this.#stop() };
  }

  async #nextResult(): Promise<IteratorResult<T>> {
    if (!this.#submitted && this.#ended === undefined) {
      this.#submitted = true;
      this.#ownsJob = true;
      await this.#start();
    }
    while (this.#next >= this.#queue.length) {
      if (this.#ended !== undefined) {
        if (this.#ended.error !== undefined) throw this.#ended.error;
        return { done: true, value: undefined };
      }
      this.#queue = [];
      this.#next = 0;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
    const value = this.#queue[this.#next++]!;
    // A loop slower than the job would otherwise keep what it has already seen.
    if (this.#next >= TRIM_AT && this.#next * 2 > this.#queue.length) this.#trim();
    return { done: false, value };
  }

  #trim(): void {
    this.#queue = this.#queue.slice(this.#next);
    this.#next = 0;
  }

  async #stop(): Promise<IteratorResult<T>> {
    this.#queue = [];
    this.#next = 0;
    const running = this.#ended === undefined;
    this.#ended = { error: undefined };
    if (running && this.#ownsJob) await this.#client?.cancel();
    return { done: true, value: undefined };
  }

  /** Drops what a repeated commit brings again. */
  #accept(chunk: CollectedChunk<T>, subtaskIndex: number): void {
    if (this.#ended !== undefined) return;
    let { values } = chunk;
    if (chunk.firstIndex !== undefined) {
      const known = this.#expected.get(subtaskIndex);
      if (known !== undefined && chunk.firstIndex > known) return this.#end(resultsLost(chunk.firstIndex - known));
      const expected = known ?? 0;
      values = values.slice(Math.max(0, expected - chunk.firstIndex));
      this.#expected.set(subtaskIndex, Math.max(expected, chunk.firstIndex + chunk.values.length));
    }
    for (const value of values) this.#queue.push(value);
  }

  #end(error: unknown): void {
    this.#ended ??= { error };
    this.#wake?.();
  }
}

/** They were on their way through a JobManager that died. */
function resultsLost(count: number): MillraceError {
  return new MillraceError({
    code: "COLLECT_RESULTS_LOST", message: `${count} collected results were lost with a JobManager`, hint: "collect is for looking at results; what must not be lost goes to a sink",
  });
}

/** Adds a sink that brings the stream's records to this program. See `DataStream.collectAsync`. */
export function collectStream<T>(stream: DataStream<T>, jobName?: string): CollectedRecords<T> {
  const { environment } = stream;
  const records = new CollectedRecords<T>(() => environment.executeAsync(jobName));
  const collectId = environment.addCollector(records.collector);
  environment.addOperator({ spec: { type: "sink", sink: new CollectSink<T>(collectId) }, name: "Collect", inputs: [stream.inputs], parallelism: 1 });
  return records;
}

/** Runs the job and resolves with the stream's records. See `DataStream.executeAndCollect`. */
export async function collectAll<T>(stream: DataStream<T>, options: CollectOptions): Promise<T[]> {
  const { limit } = options;
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1)) {
    throw new MillraceError({ code: "LIMIT_INVALID", message: `the limit ${String(limit)} is not a positive integer`, hint: "leave it out to collect everything" });
  }
  const all: T[] = [];
  for await (const record of collectStream(stream, options.jobName)) if (all.push(record) === limit) break;
  return all;
}
