import { duration, MillraceError, type DurationLike, type OutputTag, type ProcessFunctionSource, type ProcessJoinFunction } from "@millrace/core";
import { checkFunctionSource } from "../functions/user-function.js";
import { SingleOutputStreamOperator } from "./data-stream.js";
import type { KeyedStream } from "./keyed-stream.js";

/** A bound of an interval join: a duration that may be negative, such as `-5000` or `"-5 s"`. */
export type IntervalBound = DurationLike | `-${number}${string}`;

/** Two keyed streams to be joined by time; `between` says how far apart. Flink: KeyedStream.IntervalJoin. */
export class IntervalJoin<A, B, K> {
  readonly #left: KeyedStream<A, K>;
  readonly #right: KeyedStream<B, K>;

  constructor(left: KeyedStream<A, K>, right: KeyedStream<B, K>) {
    if (left.environment !== right.environment) {
      throw new MillraceError({ code: "ENVIRONMENT_MIXED", message: "the joined streams belong to different environments", hint: "build one job with one environment" });
    }
    this.#left = left;
    this.#right = right;
  }

  /** Pairs records with right.time in [left.time + lower, left.time + upper]. @throws `INTERVAL_INVALID` when lower > upper */
  between(lower: IntervalBound, upper: IntervalBound): IntervalJoined<A, B, K> {
    return new IntervalJoined<A, B, K>(this.#left, this.#right, boundMs(lower), boundMs(upper));
  }
}

/** An interval join, complete but for its function. Flink: KeyedStream.IntervalJoined. */
export class IntervalJoined<A, B, K> {
  readonly #left: KeyedStream<A, K>;
  readonly #right: KeyedStream<B, K>;
  readonly #lowerMs: number;
  readonly #upperMs: number;
  #lowerExclusive = false;
  #upperExclusive = false;
  #lateLeft: OutputTag<A> | undefined;
  #lateRight: OutputTag<B> | undefined;

  constructor(left: KeyedStream<A, K>, right: KeyedStream<B, K>, lowerMs: number, upperMs: number) {
    if (lowerMs > upperMs) throw invalidInterval(lowerMs, upperMs);
    this.#left = left;
    this.#right = right;
    this.#lowerMs = lowerMs;
    this.#upperMs = upperMs;
  }

  lowerBoundExclusive(): this {
    this.#lowerExclusive = true;
    return this;
  }
  upperBoundExclusive(): this {
    this.#upperExclusive = true;
    return this;
  }
  /** Sends left records behind the watermark to `tag` instead of dropping them. */
  sideOutputLeftLateData(tag: OutputTag<A>): this {
    this.#lateLeft = tag;
    return this;
  }
  sideOutputRightLateData(tag: OutputTag<B>): this {
    this.#lateRight = tag;
    return this;
  }

  /** Called for each pair; the record's time is the later one of the two. */
  process<R>(fn: ProcessFunctionSource<ProcessJoinFunction<A, B, R>>): SingleOutputStreamOperator<R> {
    checkFunctionSource(fn, "process");
    const lowerBoundMs = this.#lowerMs + (this.#lowerExclusive ? 1 : 0);
    const upperBoundMs = this.#upperMs - (this.#upperExclusive ? 1 : 0);
    if (lowerBoundMs > upperBoundMs) throw invalidInterval(lowerBoundMs, upperBoundMs);
    const { environment } = this.#left;
    const node = environment.addOperator({
      spec: {
        type: "intervalJoin", lowerBoundMs, upperBoundMs, fn,
        ...(this.#lateLeft === undefined ? {} : { lateLeft: this.#lateLeft }), ...(this.#lateRight === undefined ? {} : { lateRight: this.#lateRight }),
      },
      name: "Interval Join",
      inputs: [this.#left.inputs, this.#right.inputs],
      keySelectors: [this.#left.keySelector, this.#right.keySelector],
    });
    return new SingleOutputStreamOperator<R>(environment, node);
  }
}

function boundMs(bound: IntervalBound): number {
  if (typeof bound === "number") return bound < 0 ? -duration(-bound) : duration(bound);
  const text: string = bound.trim();
  return text.startsWith("-") ? -duration(text.slice(1).trim() as DurationLike) : duration(text as DurationLike);
}

function invalidInterval(lowerMs: number, upperMs: number): MillraceError {
  return new MillraceError({ code: "INTERVAL_INVALID", message: `no time lies between the bounds ${lowerMs} ms and ${upperMs} ms`, hint: "the lower bound comes first and must not be above the upper one" });
}
