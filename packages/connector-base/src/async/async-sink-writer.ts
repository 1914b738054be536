import { MillraceError, isMillraceError } from "@millrace/core";
import type { Cancellable, Counter, SinkWriteContext, SinkWriterContext, StatefulSinkWriter } from "@millrace/core";
import type { AsyncSinkClient, AsyncSinkSettings, AsyncSinkState } from "./async-sink.js";
import type { RateLimitingStrategy } from "./rate-limiting-strategy.js";

interface Buffered<R> {
  readonly entry: R;
  readonly sizeBytes: number;
}

/** Batches one subtask's entries and sends them. An entry is in exactly one place: the buffer, or a request on its way. */
export class AsyncSinkWriter<T, R> implements StatefulSinkWriter<T, AsyncSinkState<R>> {
  readonly #context: SinkWriterContext;
  readonly #settings: AsyncSinkSettings<T, R>;
  readonly #client: AsyncSinkClient<R>;
  readonly #strategy: RateLimitingStrategy;
  readonly #sent: Counter;
  readonly #sentBytes: Counter;
  readonly #errors: Counter;
  /** In the order they were sent. */
  readonly #inFlight = new Set<readonly Buffered<R>[]>();
  #buffer: Buffered<R>[] = [];
  #bufferedBytes: number = 0;
  #timer: Cancellable | undefined;
  /** A checkpoint waits for what is on its way: nothing more is sent. */
  #isDraining: boolean = false;
  #failure: { readonly error: unknown } | undefined;
  #isClosed: boolean = false;
  #lastSendMs: number = 0;
  /** Called after every answer and every failure. */
  #wake: (() => void)[] = [];

  constructor(context: SinkWriterContext, settings: AsyncSinkSettings<T, R>, client: AsyncSinkClient<R>, strategy: RateLimitingStrategy, restored: readonly R[]) {
    this.#context = context;
    this.#settings = settings;
    this.#client = client;
    this.#strategy = strategy;
    this.#sent = context.metrics.counter("numRecordsSend");
    this.#sentBytes = context.metrics.counter("numBytesSend");
    this.#errors = context.metrics.counter("numRecordsSendErrors");
    context.metrics.gauge("currentSendTime", () => this.#lastSendMs);
    for (const entry of restored) this.#append(entry);
    this.#sendFull();
  }

  write(value: T, context: SinkWriteContext): void | Promise<void> {
    this.#throwFailure();
    const entry = this.#settings.convert(value, context);
    if (this.#buffer.length >= this.#settings.maxBufferedRequests) return this.#writeLater(entry);
    this.#append(entry);
    this.#sendFull();
  }

  /** For a checkpoint, only waits for answers: what is not sent yet is part of it. At the end of input, everything is sent. */
  async flush(endOfInput: boolean): Promise<void> {
    this.#isDraining = !endOfInput;
    try {
      for (;;) {
        this.#throwFailure();
        if (endOfInput) this.#sendAll();
        if (this.#inFlight.size === 0 && (!endOfInput || this.#buffer.length === 0)) return;
        await this.#nextAnswer();
      }
    } finally {
      this.#isDraining = false;
    }
  }

  snapshotState(): readonly AsyncSinkState<R>[] {
    const waiting = [...[...this.#inFlight].flat(), ...this.#buffer];
    return waiting.length === 0 ? [] : [{ entries: waiting.map(({ entry }) => entry) }];
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#client.close();
  }

  async #writeLater(entry: R): Promise<void> {
    while (this.#buffer.length >= this.#settings.maxBufferedRequests) {
      this.#sendFull();
      if (this.#buffer.length < this.#settings.maxBufferedRequests) break;
      await this.#nextAnswer();
      this.#throwFailure();
    }
    this.#append(entry);
    this.#sendFull();
  }

  #append(entry: R): void {
    const sizeBytes = this.#settings.sizeInBytes(entry);
    if (sizeBytes > this.#settings.maxRecordSizeInBytes) {
      throw new MillraceError({
        code: "SINK_ENTRY_TOO_LARGE", message: `an entry has ${sizeBytes} bytes, more than maxRecordSizeInBytes, ${this.#settings.maxRecordSizeInBytes}`,
        hint: "filter such records, or raise maxRecordSizeInBytes if the external system takes more", location: { option: "maxRecordSizeInBytes" },
      });
    }
    this.#buffer.push({ entry, sizeBytes });
    this.#bufferedBytes += sizeBytes;
    this.#startTimer();
  }

  /** Sends what fills whole requests. */
  #sendFull(): void {
    if (this.#isDraining) return;
    while (this.#buffer.length >= this.#batchLimit() || this.#bufferedBytes >= this.#settings.maxBatchSizeInBytes) if (!this.#sendOne()) return;
  }

  #sendAll(): void {
    if (this.#isDraining) return;
    while (this.#buffer.length > 0) if (!this.#sendOne()) return;
  }

  #batchLimit(): number {
    return Math.max(1, Math.min(this.#settings.maxBatchSize, Math.floor(this.#strategy.maxBatchSize)));
  }

  /** @returns whether something was sent */
  #sendOne(): boolean {
    if (this.#buffer.length === 0) return false;
    const limit = Math.min(this.#batchLimit(), this.#buffer.length);
    let count = 0;
    let bytes = 0;
    while (count < limit && (count === 0 || bytes + this.#buffer[count]!.sizeBytes <= this.#settings.maxBatchSizeInBytes)) bytes += this.#buffer[count++]!.sizeBytes;
    if (this.#strategy.shouldBlock({ batchSize: count })) return false;
    const batch = this.#buffer.splice(0, count);
    this.#bufferedBytes -= bytes;
    void this.#send(batch, bytes);
    return true;
  }

  async #send(batch: readonly Buffered<R>[], bytes: number): Promise<void> {
    const entries = batch.map(({ entry }) => entry);
    this.#inFlight.add(batch);
    this.#strategy.registerInFlightRequest({ batchSize: batch.length });
    const startMs = this.#context.clock.monotonicMs();
    let again: readonly R[];
    try {
      again = (await this.#withTimeout(this.#client.submit(entries))) ?? [];
    } catch (error) {
      const isTransient = isMillraceError(error) && error.recovery === "retry";
      if (!isTransient) this.#fail(error, batch.length);
      again = isTransient ? entries : [];
    }
    this.#lastSendMs = this.#context.clock.monotonicMs() - startMs;
    this.#inFlight.delete(batch);
    this.#strategy.registerCompletedRequest({ batchSize: batch.length, failedEntries: this.#failure === undefined ? again.length : batch.length });
    if (this.#isClosed) return;
    if (this.#failure === undefined) {
      this.#sent.inc(batch.length - again.length);
      this.#sentBytes.inc(bytes);
      this.#putBack(again);
      this.#sendFull();
    }
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** In front, in their order. */
  #putBack(entries: readonly R[]): void {
    if (entries.length === 0) return;
    this.#errors.inc(entries.length);
    const buffered = entries.map((entry) => ({ entry, sizeBytes: this.#settings.sizeInBytes(entry) }));
    this.#buffer.unshift(...buffered);
    for (const { sizeBytes } of buffered) this.#bufferedBytes += sizeBytes;
    this.#startTimer();
  }

  #withTimeout(request: Promise<readonly R[] | void>): Promise<readonly R[] | void> {
    const { requestTimeoutMs, failOnTimeout } = this.#settings;
    return new Promise((resolve, reject) => {
      const timer = this.#context.clock.setTimer(requestTimeoutMs, () =>
        reject(new MillraceError({
          code: "SINK_REQUEST_TIMEOUT", message: `a request was not answered in ${requestTimeoutMs} ms`, hint: "see whether the external system is there, or raise requestTimeout",
          recovery: failOnTimeout ? "restart" : "retry",
        })));
      request.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  /** The job fails, whether or not another record comes. */
  #fail(error: unknown, entries: number): void {
    this.#errors.inc(entries);
    if (this.#failure !== undefined || this.#isClosed) return;
    this.#failure = { error };
    this.#context.registerTimer(0, () => this.#throwFailure());
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #startTimer(): void {
    this.#timer ??= this.#context.registerTimer(this.#settings.maxTimeInBufferMs, () => {
      this.#timer = undefined;
      this.#sendAll();
      if (this.#buffer.length > 0) this.#startTimer();
    });
  }

  /** Also returns after a while without one: a strategy may block with nothing on its way. */
  #nextAnswer(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#inFlight.size > 0) this.#wake.push(resolve);
      else void this.#context.clock.setTimer(Math.max(1, this.#settings.maxTimeInBufferMs), resolve);
    });
  }
}
