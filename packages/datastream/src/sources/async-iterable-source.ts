import { MillraceError, type Boundedness, type InputStatus, type ReaderOutput, type Source, type SourceReader, type SourceReaderContext, type SplitEnumerator, type SplitEnumeratorContext } from "@millrace/core";
import { notReplayable, type CollectionSplit } from "./collection-source.js";
import { FixedSplitEnumerator, type UnassignedSplits } from "./fixed-split-enumerator.js";
import { SequentialReader, type SplitCursor } from "./split-reader.js";

/** The part of a Web `ReadableStream` that is used, for those that are not async iterables. */
export interface WebReadable<T> {
  getReader(): { read(): Promise<{ readonly done: boolean; readonly value?: T | undefined }>; cancel(reason?: unknown): Promise<void> };
}
type Opened<T> = AsyncIterable<T> | WebReadable<T>;
/**
 * An async iterable or Web stream, or a function that opens one. A function with a parameter gets the number of records read before and must start behind them; one without
 * must give the same records each time, and those read before are skipped.
 */
export type AsyncReplayable<T> = Opened<T> | ((position: number) => Opened<T> | Promise<Opened<T>>);

/** The most records that wait between the iterable and the task. */
const BUFFER = 1024;

/** The records of an async iterable, by one subtask. See `fromAsyncIterable`. */
export class AsyncIterableSource<T> implements Source<T, CollectionSplit, UnassignedSplits<CollectionSplit>> {
  readonly boundedness: Boundedness;
  readonly description: string = "Async Iterable Source";
  /** Public when a function, for the fingerprint; a running stream has nothing in it that two runs would agree on. */
  readonly open: ((position: number) => Opened<T> | Promise<Opened<T>>) | undefined;
  readonly #values: AsyncReplayable<T>;

  /** Unbounded unless said otherwise: nobody can tell from an iterable whether it ends. @throws `COLLECTION_INVALID` */
  constructor(values: AsyncReplayable<T>, boundedness: Boundedness = "continuous-unbounded") {
    if (typeof values !== "function") requireOpened(values);
    this.#values = values;
    this.open = typeof values === "function" ? values : undefined;
    this.boundedness = boundedness;
  }

  createEnumerator(context: SplitEnumeratorContext<CollectionSplit>, restored: UnassignedSplits<CollectionSplit> | undefined): SplitEnumerator<CollectionSplit, UnassignedSplits<CollectionSplit>> {
    return new FixedSplitEnumerator(context, restored?.splits ?? [{ splitId: "0", position: 0 }]);
  }
  createReader(context: SourceReaderContext): SourceReader<T, CollectionSplit> {
    return new SequentialReader<T, CollectionSplit>(context, (split) => new AsyncCursor<T>(this.#values, split.position));
  }
}

/** Streams that were given themselves and have been read from. */
const started = new WeakSet<object>();

class AsyncCursor<T> implements SplitCursor<T, CollectionSplit> {
  #position: number;
  #buffer: T[] = [];
  #ended = false;
  #failed: { readonly error: unknown } | undefined;
  #closed = false;
  #iterator: AsyncIterator<T> | undefined;
  /** Called when there is something to poll, or room to read. */
  #wakePoll: (() => void) | undefined;
  #wakePull: (() => void) | undefined;

  constructor(values: AsyncReplayable<T>, position: number) {
    this.#position = position;
    let skip = position;
    if (typeof values === "function") {
      if (values.length > 0) skip = 0;
    } else {
      if (position > 0 || started.has(values)) throw notReplayable();
      started.add(values);
    }
    this.#pull(values, skip).catch((error: unknown) => {
      this.#failed = { error };
      this.#wakePoll?.();
    });
  }

  poll(output: ReaderOutput<T>): InputStatus {
    if (this.#buffer.length > 0) {
      const batch = this.#buffer;
      this.#buffer = [];
      this.#position += batch.length;
      output.collectBatch(batch, null);
      this.#wakePull?.();
      return "more-available";
    }
    if (this.#failed !== undefined) throw this.#failed.error;
    return this.#ended ? "end-of-input" : "nothing-available";
  }
  async available(): Promise<void> {
    while (this.#buffer.length === 0 && !this.#ended && this.#failed === undefined && !this.#closed) await new Promise<void>((resolve) => (this.#wakePoll = resolve));
  }
  snapshot(): CollectionSplit {
    return { splitId: "0", position: this.#position };
  }
  close(): void {
    this.#closed = true;
    this.#wakePull?.();
    this.#wakePoll?.();
    // Not awaited: a generator that waits for something that never comes would never return.
    if (!this.#ended) void this.#iterator?.return?.().then(undefined, () => {});
  }

  async #pull(values: AsyncReplayable<T>, skip: number): Promise<void> {
    const opened = requireOpened(typeof values === "function" ? await values(this.#position) : values);
    const iterator = iteratorOf(opened);
    this.#iterator = iterator;
    while (!this.#closed) {
      if (this.#buffer.length >= BUFFER) {
        await new Promise<void>((resolve) => (this.#wakePull = resolve));
        continue;
      }
      const result = await iterator.next();
      if (result.done === true) break;
      if (skip > 0) skip--;
      else this.#buffer.push(result.value);
      this.#wakePoll?.();
    }
    if (this.#closed) return;
    this.#ended = true;
    this.#wakePoll?.();
  }
}

function iteratorOf<T>(opened: Opened<T>): AsyncIterator<T> {
  if (Symbol.asyncIterator in opened) return opened[Symbol.asyncIterator]();
  const reader = opened.getReader();
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return done ? { done: true, value: undefined } : { done: false, value: value as T };
    },
    return: async () => {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}

function requireOpened<T>(opened: Opened<T>): Opened<T> {
  const found = opened as (Partial<AsyncIterable<T>> & Partial<WebReadable<T>>) | undefined;
  if (typeof found?.[Symbol.asyncIterator] === "function" || typeof found?.getReader === "function") return opened;
  throw new MillraceError({
    code: "COLLECTION_INVALID",
    message: `${opened === undefined || opened === null ? String(opened) : `a ${typeof opened}`} is not an async iterable`,
    hint: "pass an async generator function, a Node Readable or a Web ReadableStream; fromCollection takes synchronous ones",
  });
}
