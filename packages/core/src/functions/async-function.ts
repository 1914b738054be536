import type { RichFunction } from "./rich-function.js";

/** Calls an external system once per record; results are emitted in input order or as they come. */
export interface AsyncFunction<T, R> extends RichFunction {
  /** Resolves with zero or more results. A rejection fails the task, or is retried when a retry strategy says so. */
  asyncInvoke(value: T): Promise<readonly R[]>;
  /** What to emit for a record whose call took longer than the timeout. Default: fail the task with `ASYNC_TIMEOUT`. */
  timeout?(value: T): readonly R[] | Promise<readonly R[]>;
}

/** When a call of an {@link AsyncFunction} is tried again, and how long to wait before. Both questions default to yes for errors, no for results. Flink: AsyncRetryStrategy. */
export interface AsyncRetryStrategy<R> {
  readonly maxAttempts: number;
  /** Pause before attempt `attempt` (2 is the first retry). */
  backoffMs(attempt: number): number;
  retryOnResult?(results: readonly R[]): boolean;
  retryOnError?(error: unknown): boolean;
}
