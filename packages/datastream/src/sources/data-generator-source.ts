import { MillraceError, type Boundedness, type InputStatus, type ReaderOutput, type Source, type SourceReader, type SourceReaderContext, type SplitEnumerator, type SplitEnumeratorContext } from "@millrace/core";
import { checkPlainFunction } from "../functions/user-function.js";
import { FixedSplitEnumerator, type UnassignedSplits } from "./fixed-split-enumerator.js";
import { splitRange, type NumberSplit } from "./number-sequence-source.js";
import { RateLimiterStrategy, type RateLimiter } from "./rate-limiter.js";
import { SequentialReader, type SplitCursor } from "./split-reader.js";

/** Makes the record of an index; the same one must give the same record, for after a failure it is asked again. */
export type GeneratorFn<T> = (index: number) => T;

const BATCH = 1024;
/** At a time, where a batch is too much: of large records a thousand fill many buffers, which then wait, all of them. */
const LEAST = 16;

/** The records a function makes of the indexes 0 to `count` - 1, in parallel, as fast as a rate limit allows. Flink: DataGeneratorSource. */
export class DataGeneratorSource<T> implements Source<T, NumberSplit, UnassignedSplits<NumberSplit>> {
  readonly boundedness: Boundedness;
  readonly description: string = "Data Generator";
  readonly generate: GeneratorFn<T>;
  readonly count: number;
  readonly rateLimit: RateLimiterStrategy;

  /** `count` may be `Infinity`: then the source is unbounded. @throws `GENERATOR_COUNT_INVALID` */
  constructor(generate: GeneratorFn<T>, count: number, rateLimit: RateLimiterStrategy = RateLimiterStrategy.noOp()) {
    checkPlainFunction(generate, "DataGeneratorSource");
    if (count !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(count) || count < 0)) {
      throw new MillraceError({ code: "GENERATOR_COUNT_INVALID", message: `${String(count)} is not a number of records`, hint: "give an integer of at least 0, or Infinity" });
    }
    this.boundedness = count === Number.POSITIVE_INFINITY ? "continuous-unbounded" : "bounded";
    this.generate = generate;
    this.count = Math.min(count, Number.MAX_SAFE_INTEGER);
    this.rateLimit = rateLimit;
  }

  createEnumerator(context: SplitEnumeratorContext<NumberSplit>, restored: UnassignedSplits<NumberSplit> | undefined): SplitEnumerator<NumberSplit, UnassignedSplits<NumberSplit>> {
    return new FixedSplitEnumerator(context, restored?.splits ?? splitRange(0, this.count - 1, context.parallelism));
  }
  createReader(context: SourceReaderContext): SourceReader<T, NumberSplit> {
    const limiter = this.rateLimit.createRateLimiter(context);
    return new SequentialReader<T, NumberSplit>(context, (split) => new GeneratorCursor<T>(this.generate, limiter, split));
  }
}

class GeneratorCursor<T> implements SplitCursor<T, NumberSplit> {
  readonly #generate: GeneratorFn<T>;
  readonly #limiter: RateLimiter;
  readonly #split: NumberSplit;
  #next: number;
  /** Records made at a time. */
  #piece = BATCH;

  constructor(generate: GeneratorFn<T>, limiter: RateLimiter, split: NumberSplit) {
    this.#generate = generate;
    this.#limiter = limiter;
    this.#split = split;
    this.#next = split.next;
  }
  poll(output: ReaderOutput<T>): InputStatus {
    const left = this.#split.last - this.#next + 1;
    if (left <= 0) return "end-of-input";
    const count = this.#limiter.take(Math.min(this.#piece, left));
    if (count === 0) return "nothing-available";
    const first = this.#next;
    this.#next += count;
    output.collectGenerated(this.#generate, first, count);
    this.#piece = output.full ? Math.max(LEAST, this.#piece >> 1) : Math.min(BATCH, this.#piece * 2);
    return count === left ? "end-of-input" : "more-available";
  }
  available(): Promise<void> {
    return this.#limiter.available();
  }
  snapshot(): NumberSplit {
    return { ...this.#split, next: this.#next };
  }
  notifyCheckpointComplete(checkpointId: number): void {
    this.#limiter.notifyCheckpointComplete?.(checkpointId);
  }
}
