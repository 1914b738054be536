import { MillraceError, type Boundedness, type InputStatus, type ReaderOutput, type Source, type SourceReader, type SourceReaderContext, type SourceSplit, type SplitEnumerator, type SplitEnumeratorContext } from "@millrace/core";
import { FixedSplitEnumerator, type UnassignedSplits } from "./fixed-split-enumerator.js";
import { SequentialReader, type SplitCursor } from "./split-reader.js";

/** What can be read again from the start: an array, another re-iterable object such as a `Set`, or a function that makes a new iterator. */
export type Replayable<T> = Iterable<T> | (() => Iterable<T> | Iterator<T>);

/** The one split of a collection, and how far it was read. */
export interface CollectionSplit extends SourceSplit {
  /** How many records are behind it. */
  readonly position: number;
}

const BATCH = 1024;

/**
 * The records of an array, iterable or generator function, read by one subtask in order.
 *
 * After a failure it starts again where the checkpoint was: an array by index, anything else by going through it again and skipping, which must give the
 * same records. An iterator that is already running (a generator object) cannot start again: going back past its start is `SOURCE_NOT_REPLAYABLE`.
 */
export class CollectionSource<T> implements Source<T, CollectionSplit, UnassignedSplits<CollectionSplit>> {
  readonly boundedness: Boundedness;
  readonly description: string = "Collection Source";
  /** Public, so that the fingerprint sees records that differ between two runs of the module. */
  readonly values: Replayable<T>;

  /** @throws `COLLECTION_INVALID` */
  constructor(values: Replayable<T>, boundedness: Boundedness = "bounded") {
    if (typeof values !== "function" && typeof (values as Partial<Iterable<T>> | undefined)?.[Symbol.iterator] !== "function") {
      throw new MillraceError({
        code: "COLLECTION_INVALID",
        message: `${values === undefined || values === null ? String(values) : `a ${typeof values}`} is not a collection`,
        hint: "pass an array, an iterable or a generator function; fromAsyncIterable takes asynchronous ones",
      });
    }
    this.values = values;
    this.boundedness = boundedness;
  }

  /** The first record, when it can be had without running anything. */
  get sample(): T | undefined {
    return Array.isArray(this.values) ? (this.values[0] as T | undefined) : undefined;
  }

  createEnumerator(context: SplitEnumeratorContext<CollectionSplit>, restored: UnassignedSplits<CollectionSplit> | undefined): SplitEnumerator<CollectionSplit, UnassignedSplits<CollectionSplit>> {
    return new FixedSplitEnumerator(context, restored?.splits ?? [{ splitId: "0", position: 0 }]);
  }
  createReader(context: SourceReaderContext): SourceReader<T, CollectionSplit> {
    const values = this.values;
    return new SequentialReader<T, CollectionSplit>(context, (split) => (Array.isArray(values) ? new ArrayCursor<T>(values, split) : new IteratorCursor<T>(values, split)));
  }
}

class ArrayCursor<T> implements SplitCursor<T, CollectionSplit> {
  readonly #values: readonly T[];
  #position: number;

  constructor(values: readonly T[], split: CollectionSplit) {
    this.#values = values;
    this.#position = split.position;
  }
  poll(output: ReaderOutput<T>): InputStatus {
    if (this.#position >= this.#values.length) return "end-of-input";
    const batch = this.#values.slice(this.#position, this.#position + BATCH);
    this.#position += batch.length;
    output.collectBatch(batch, null);
    return this.#position >= this.#values.length ? "end-of-input" : "more-available";
  }
  available(): Promise<void> {
    return Promise.resolve();
  }
  snapshot(): CollectionSplit {
    return { splitId: "0", position: this.#position };
  }
}

/** Iterators that were handed out already, by their source object: the same one again means there is no way back. */
const started = new WeakSet<object>();

class IteratorCursor<T> implements SplitCursor<T, CollectionSplit> {
  readonly #iterator: Iterator<T>;
  #toSkip: number;
  #position: number;
  #ended = false;

  constructor(values: Replayable<T>, split: CollectionSplit) {
    const made = typeof values === "function" ? values() : values;
    const iterable = made as Partial<Iterable<T>>;
    this.#iterator = typeof iterable[Symbol.iterator] === "function" ? iterable[Symbol.iterator]!() : (made as Iterator<T>);
    if (started.has(this.#iterator)) throw notReplayable();
    started.add(this.#iterator);
    this.#toSkip = split.position;
    this.#position = split.position;
  }
  poll(output: ReaderOutput<T>): InputStatus {
    for (let n = 0; n < BATCH; n++) {
      const result = this.#iterator.next();
      if (result.done === true) {
        if (this.#toSkip > 0) throw shorter(this.#position, this.#toSkip);
        this.#ended = true;
        return "end-of-input";
      }
      if (this.#toSkip > 0) {
        this.#toSkip--;
        continue;
      }
      this.#position++;
      output.collect(result.value);
      if (output.full) return "more-available";
    }
    return "more-available";
  }
  available(): Promise<void> {
    return Promise.resolve();
  }
  snapshot(): CollectionSplit {
    return { splitId: "0", position: this.#position };
  }
  close(): void {
    if (!this.#ended) this.#iterator.return?.();
  }
}

/** The error of a source that cannot start again: `SOURCE_NOT_REPLAYABLE`. */
export function notReplayable(): MillraceError {
  return new MillraceError({
    code: "SOURCE_NOT_REPLAYABLE",
    message: "the source's iterator has been read from already and cannot start again",
    hint: "pass a function that makes a new iterator (a generator function, say) instead of a running one",
  });
}

function shorter(position: number, missing: number): MillraceError {
  return new MillraceError({
    code: "SOURCE_NOT_REPLAYABLE",
    message: `the source ended ${missing} records before record ${position}, where it had been at the checkpoint`,
    hint: "a function given to fromCollection must give the same records each time it is called",
  });
}
