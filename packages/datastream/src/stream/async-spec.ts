import { duration, MillraceError, type AsyncFunction, type AsyncRetryStrategy, type DurationLike, type RichFunctionSource } from "@millrace/core";
import type { AsyncSpec } from "@millrace/graph";

/** How many calls run at a time, how long one may take, when it is tried again, and whether results keep the order of the records. */
export interface AsyncMapOptions<R = unknown> {
  /** Whether results keep the order of their records (default), or go on as they come (never across a watermark). */
  readonly ordered?: boolean;
  /** A call that takes longer fails the task with `ASYNC_TIMEOUT`, or is answered by `AsyncFunction.timeout`; retries included. Default 0: none. */
  readonly timeout?: DurationLike;
  /** Calls in flight per subtask before its input waits. Default 100. */
  readonly capacity?: number;
  readonly retry?: AsyncRetryStrategy<R>;
}

const DEFAULT_CAPACITY = 100;

/** @throws `ASYNC_CAPACITY_INVALID`, `RETRY_INVALID`, `DURATION_INVALID` */
export function asyncSpec<T, R>(fn: ((value: T) => Promise<R>) | RichFunctionSource<AsyncFunction<T, R>>, options: AsyncMapOptions<R>): AsyncSpec {
  const capacity = options.capacity ?? DEFAULT_CAPACITY;
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new MillraceError({ code: "ASYNC_CAPACITY_INVALID", message: `the capacity ${String(capacity)} is not a positive integer`, hint: "it is the number of calls in flight per subtask" });
  }
  return {
    type: "async",
    fn,
    ordered: options.ordered ?? true,
    timeoutMs: duration(options.timeout ?? 0),
    capacity,
    ...(options.retry === undefined ? {} : { retry: options.retry }),
  };
}
