import { duration, MillraceError, type AsyncFunction, type AsyncRetryStrategy, type DurationLike, type RichFunctionSource } from "@millrace/core";
import { checkFunctionSource } from "../functions/user-function.js";
import { asyncSpec } from "./async-spec.js";
import type { DataStream, SingleOutputStreamOperator } from "./data-stream.js";

/** Asynchronous calls per record by an {@link AsyncFunction}, given as a class or factory. `stream.asyncMap` is the short form. Flink: AsyncDataStream. */
export const AsyncDataStream = {
  /** Results in the order of their records. */
  orderedWait<T, R>(stream: DataStream<T>, fn: RichFunctionSource<AsyncFunction<T, R>>, timeout: DurationLike, capacity?: number): SingleOutputStreamOperator<R> {
    return wait(stream, fn, true, timeout, capacity, undefined);
  },
  /** Results as they come; none overtakes a watermark. */
  unorderedWait<T, R>(stream: DataStream<T>, fn: RichFunctionSource<AsyncFunction<T, R>>, timeout: DurationLike, capacity?: number): SingleOutputStreamOperator<R> {
    return wait(stream, fn, false, timeout, capacity, undefined);
  },
  orderedWaitWithRetry<T, R>(
    stream: DataStream<T>, fn: RichFunctionSource<AsyncFunction<T, R>>, timeout: DurationLike, retry: AsyncRetryStrategy<R>, capacity?: number,
  ): SingleOutputStreamOperator<R> {
    return wait(stream, fn, true, timeout, capacity, retry);
  },
  unorderedWaitWithRetry<T, R>(
    stream: DataStream<T>, fn: RichFunctionSource<AsyncFunction<T, R>>, timeout: DurationLike, retry: AsyncRetryStrategy<R>, capacity?: number,
  ): SingleOutputStreamOperator<R> {
    return wait(stream, fn, false, timeout, capacity, retry);
  },
} as const;

function wait<T, R>(
  stream: DataStream<T>, fn: RichFunctionSource<AsyncFunction<T, R>>, ordered: boolean, timeout: DurationLike, capacity: number | undefined, retry: AsyncRetryStrategy<R> | undefined,
): SingleOutputStreamOperator<R> {
  checkFunctionSource(fn, ordered ? "orderedWait" : "unorderedWait");
  const spec = asyncSpec(fn, { ordered, timeout, ...(capacity === undefined ? {} : { capacity }), ...(retry === undefined ? {} : { retry }) });
  return stream.addOperator<R>(ordered ? "Async Wait (ordered)" : "Async Wait (unordered)", spec);
}

/** Which answers are worth another call. Default: every error, no result. */
export interface RetryPredicates<R> {
  readonly retryOnResult?: (results: readonly R[]) => boolean;
  readonly retryOnError?: (error: unknown) => boolean;
}

/** Flink: AsyncRetryStrategies. `maxAttempts` counts the first call. */
export const AsyncRetryStrategies = {
  fixedDelay<R = any>(maxAttempts: number, delay: DurationLike, predicates: RetryPredicates<R> = {}): AsyncRetryStrategy<R> {
    const delayMs = duration(delay);
    return { maxAttempts: checkedAttempts(maxAttempts), backoffMs: () => delayMs, ...predicates };
  },
  /** `initial`, then `multiplier` times the pause before, at most `max`. */
  exponentialBackoff<R = any>(maxAttempts: number, initial: DurationLike, max: DurationLike, multiplier: number, predicates: RetryPredicates<R> = {}): AsyncRetryStrategy<R> {
    const initialMs = duration(initial);
    const maxMs = duration(max);
    if (!(multiplier >= 1)) throw new MillraceError({ code: "RETRY_INVALID", message: `the multiplier ${String(multiplier)} is below 1`, hint: "pauses grow, or stay the same with 1" });
    return { maxAttempts: checkedAttempts(maxAttempts), backoffMs: (attempt) => Math.min(maxMs, Math.round(initialMs * multiplier ** (attempt - 2))), ...predicates };
  },
} as const;

function checkedAttempts(maxAttempts: number): number {
  if (Number.isSafeInteger(maxAttempts) && maxAttempts >= 1) return maxAttempts;
  throw new MillraceError({ code: "RETRY_INVALID", message: `${String(maxAttempts)} is not a number of attempts`, hint: "give a positive integer; 1 is no retry" });
}
