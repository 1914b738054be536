import {
  ListStateDescriptor, MillraceError,
  type AsyncFunction, type AsyncRetryStrategy, type OneInputOperator, type OperatorContext, type OperatorListState, type Output,
  type StateInitializationContext, type StateSnapshotContext,
} from "@millrace/core";
import type { AsyncSpec } from "@millrace/graph";
import { locateError } from "../../chain/task-error.js";
import { FunctionOperator } from "../function-operator.js";
import { instantiate, isClass } from "../user-function.js";
import type { AsyncRecord } from "./async-entry.js";
import { AsyncQueue } from "./async-queue.js";

interface InFlight {
  readonly value: unknown;
  readonly timestampMs: number;
}
const inFlightDescriptor = new ListStateDescriptor<InFlight>("async-in-flight");

/**
 * Calls an asynchronous function for each record, up to `capacity` at a time, and emits the results in input order, or as they come but never past a
 * watermark. Timeout, retries. Records in flight are part of the operator's state: after a restore their calls are made again.
 *
 * Everything but the call itself happens on the task's thread: promises come back through the mailbox. Flink: AsyncWaitOperator.
 */
export class AsyncOperator extends FunctionOperator implements OneInputOperator {
  readonly #fn: AsyncFunction<unknown, unknown>;
  readonly #timeoutMs: number;
  readonly #capacity: number;
  readonly #retry: AsyncRetryStrategy<unknown> | undefined;
  readonly #queue: AsyncQueue;
  #inFlight: OperatorListState<InFlight> | undefined;
  #running = 0;
  /** Resolves the promise that the task's input waits for. */
  #resume: (() => void) | undefined;
  /** Resolves the promise of `finish`. */
  #finished: (() => void) | undefined;
  #closed = false;

  constructor(spec: AsyncSpec, context: OperatorContext) {
    const fn = asyncFunction(spec.fn, context.operatorName);
    super(context, fn);
    this.#fn = fn;
    this.#timeoutMs = spec.timeoutMs;
    this.#capacity = spec.capacity;
    this.#retry = spec.retry;
    this.#queue = new AsyncQueue(spec.ordered);
  }

  protected override setup(context: StateInitializationContext): void {
    this.#inFlight = context.operatorState.getListState(inFlightDescriptor);
  }

  override open(context: StateInitializationContext): void | Promise<void> {
    const opened = super.open(context);
    const again = (): void => {
      for (const { value, timestampMs } of this.#inFlight!.get()) this.#add(value, timestampMs);
    };
    // Calls need the function open.
    if (opened !== undefined) return opened.then(again);
    again();
  }

  processRecord(value: unknown, timestampMs: number): void {
    this.#add(value, timestampMs);
  }

  processWatermark(timestampMs: number, out: Output<unknown>): void {
    this.#queue.add({ kind: "watermark", timestampMs });
    this.#queue.drain(out);
  }

  override snapshotState(context: StateSnapshotContext): void | Promise<void> {
    this.#inFlight!.update(this.#queue.records().map(({ value, timestampMs }) => ({ value, timestampMs })));
    return super.snapshotState(context);
  }

  finish(): void | Promise<void> {
    if (this.#queue.size === 0) return;
    return new Promise((resolve) => {
      this.#finished = resolve;
    });
  }

  override close(): void | Promise<void> {
    this.#closed = true;
    for (const record of this.#queue.records()) settle(record);
    this.#resume?.();
    return super.close();
  }

  #add(value: unknown, timestampMs: number): void {
    const record: AsyncRecord = {
      kind: "record", value, timestampMs, results: undefined, invoked: false, attempt: 0, timeout: undefined, retry: undefined,
    };
    this.#queue.add(record);
    if (this.#running < this.#capacity) this.#invoke(record);
    if (this.#queue.size < this.#capacity || this.#resume !== undefined) return;
    this.context.suspendUntil(
      new Promise<void>((resolve) => {
        this.#resume = resolve;
      }),
    );
  }

  #invoke(record: AsyncRecord): void {
    record.invoked = true;
    this.#running++;
    if (this.#timeoutMs > 0) {
      const service = this.context.processingTime;
      record.timeout = service.registerTimer(service.nowMs() + this.#timeoutMs, () => this.#timedOut(record));
    }
    this.#attempt(record);
  }

  #attempt(record: AsyncRecord): void {
    const attempt = ++record.attempt;
    // A function that throws instead of rejecting is treated alike.
    new Promise<readonly unknown[]>((resolve) => resolve(this.#fn.asyncInvoke(record.value))).then(
      (results) => this.#mail(() => this.#succeeded(record, attempt, results), "async result"),
      (error: unknown) => this.#mail(() => this.#failed(record, attempt, error), "async failure"),
    );
  }

  #mail(action: () => void, description: string): void {
    if (this.#closed) return;
    this.context.mailbox.execute(() => {
      if (!this.#closed) action();
    }, description);
  }

  #succeeded(record: AsyncRecord, attempt: number, results: readonly unknown[]): void {
    if (record.results !== undefined || attempt !== record.attempt) return;
    if (this.#retry?.retryOnResult?.(results) === true && this.#retryLater(record)) return;
    this.#complete(record, results);
  }

  #failed(record: AsyncRecord, attempt: number, error: unknown): void {
    if (record.results !== undefined || attempt !== record.attempt) return;
    if (this.#retry !== undefined && this.#retry.retryOnError?.(error) !== false && this.#retryLater(record)) return;
    throw this.#located(error);
  }

  /** A promise's error has no call of the operator in its stack. */
  #located(error: unknown): MillraceError {
    const { operatorName, operatorId, subtaskIndex } = this.context;
    return locateError(error, operatorName, operatorId, subtaskIndex);
  }

  /** False when the attempts are used up. */
  #retryLater(record: AsyncRecord): boolean {
    const retry = this.#retry!;
    if (record.attempt >= retry.maxAttempts) return false;
    const service = this.context.processingTime;
    record.retry = service.registerTimer(service.nowMs() + retry.backoffMs(record.attempt + 1), () => {
      if (record.results === undefined) this.#attempt(record);
    });
    return true;
  }

  #timedOut(record: AsyncRecord): void {
    if (record.results !== undefined || this.#closed) return;
    // What the call still returns no longer counts.
    record.attempt = Number.POSITIVE_INFINITY;
    record.retry?.cancel();
    if (this.#fn.timeout === undefined) {
      throw new MillraceError({
        code: "ASYNC_TIMEOUT",
        message: `a call of async operator "${this.context.operatorName}" took longer than ${this.#timeoutMs} ms`,
        hint: "raise the timeout, or implement timeout(value) on the AsyncFunction to emit something else",
        recovery: "restart",
        location: { operator: this.context.operatorName, operatorId: this.context.operatorId, subtask: this.context.subtaskIndex },
      });
    }
    const results = this.#fn.timeout(record.value);
    if (Array.isArray(results)) this.#complete(record, results);
    else {
      (results as Promise<readonly unknown[]>).then(
        (late) => this.#mail(() => this.#complete(record, late), "async timeout result"),
        (error: unknown) => this.#mail(() => { throw this.#located(error); }, "async timeout failure"),
      );
    }
  }

  #complete(record: AsyncRecord, results: readonly unknown[]): void {
    if (record.results !== undefined) return;
    record.results = results;
    settle(record);
    this.#running--;
    this.#queue.drain(this.context.output);
    while (this.#running < this.#capacity) {
      const waiting = this.#queue.nextWaiting();
      if (waiting === undefined) break;
      this.#invoke(waiting);
    }
    if (this.#queue.size < this.#capacity) {
      this.#resume?.();
      this.#resume = undefined;
    }
    if (this.#queue.size === 0) this.#finished?.();
  }
}

function settle(record: AsyncRecord): void {
  record.timeout?.cancel();
  record.retry?.cancel();
}

/** The plain form resolves with exactly one result. */
function asyncFunction(source: AsyncSpec["fn"], operatorName: string): AsyncFunction<unknown, unknown> {
  if (typeof source === "function" && !isClass(source) && (source as (...args: unknown[]) => unknown).length > 0) {
    const call = source as (value: unknown) => Promise<unknown>;
    return { asyncInvoke: async (value) => [await call(value)] };
  }
  return instantiate<AsyncFunction<unknown, unknown>>(source, operatorName, ["asyncInvoke"]);
}
