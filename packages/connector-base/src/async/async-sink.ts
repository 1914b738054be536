import { duration, invalidOption } from "@millrace/core";
import type { DurationLike, Sink, SinkWriteContext, SinkWriter, SinkWriterContext, SnapshotCodec } from "@millrace/core";
import { atLeast } from "../at-least.js";
import { valueSnapshotCodec } from "../value-snapshot-codec.js";
import { AsyncSinkWriter } from "./async-sink-writer.js";
import { CongestionControlStrategy } from "./congestion-control-strategy.js";
import type { RateLimitingStrategy } from "./rate-limiting-strategy.js";
import { AimdScalingStrategy } from "./scaling-strategy.js";

/** The external system's client, one per subtask. */
export interface AsyncSinkClient<R> {
  /**
   * Sends one request; several may be on their way. Resolves, when the system has answered, with the entries that were throttled or failed for a passing reason
   * and are to be sent again (nothing when there are none). What it rejects with is fatal and fails the job; but a `MillraceError` with `recovery: "retry"` sends
   * all of them again.
   */
  submit(entries: readonly R[]): Promise<readonly R[] | void>;
  close(): void | Promise<void>;
}

/** How an {@link AsyncSink} makes, batches and sends entries. The names and defaults are Flink's. */
export interface AsyncSinkOptions<T, R> {
  /** Makes a record into what is sent. A plain value: entries that are not sent yet are part of checkpoints. */
  elementConverter(value: T, context: SinkWriteContext): R;
  /** Opens a client, once per subtask. */
  connect(context: SinkWriterContext): AsyncSinkClient<R> | Promise<AsyncSinkClient<R>>;
  /** An entry's size, for the limits in bytes, which need it. */
  sizeInBytes?(entry: R): number;
  /** The most entries of a request. Default 500. */
  readonly maxBatchSize?: number;
  /** The most bytes of a request. Default: no limit. */
  readonly maxBatchSizeInBytes?: number;
  /** An entry with more bytes fails the job. Default: no limit. */
  readonly maxRecordSizeInBytes?: number;
  /** Default 50. */
  readonly maxInFlightRequests?: number;
  /** Entries that wait, at least `maxBatchSize`; with more, the sink takes no input: back-pressure. Default 10000. */
  readonly maxBufferedRequests?: number;
  /** The longest that an entry waits for its batch to fill. Default 5 s. */
  readonly maxTimeInBuffer?: DurationLike;
  /** A request without an answer for so long counts as failed. Default 10 min. */
  readonly requestTimeout?: DurationLike;
  /** Fails the job when a request times out, instead of sending it again. Default false. */
  readonly failOnTimeout?: boolean;
  /** Default: additive increase, multiplicative decrease of the entries on their way, beginning with one batch. */
  rateLimitingStrategy?(): RateLimitingStrategy;
  /** Named in plans. */
  readonly description?: string;
}

/** Those options, checked and with all defaults. */
export interface AsyncSinkSettings<T, R> {
  readonly convert: (value: T, context: SinkWriteContext) => R;
  readonly sizeInBytes: (entry: R) => number;
  readonly maxBatchSize: number;
  readonly maxBatchSizeInBytes: number;
  readonly maxRecordSizeInBytes: number;
  readonly maxBufferedRequests: number;
  readonly maxTimeInBufferMs: number;
  readonly requestTimeoutMs: number;
  readonly failOnTimeout: boolean;
}

/** A writer's part of a checkpoint: what was not known to have arrived. */
export interface AsyncSinkState<R> {
  readonly entries: readonly R[];
}

/**
 * The base of sinks to services with asynchronous requests of many entries. It batches by count, bytes and time, keeps several requests on their way, sends
 * again what the service did not take, slows down when it throttles, and holds the input back when too much waits.
 *
 * At least once: entries without an answer are in the checkpoint, and sent again after a failure. Entries of a subtask keep their order as far as one request
 * at a time would (`maxInFlightRequests: 1`); those that come back go before all others. Flink: AsyncSinkBase (FLIP-171).
 *
 * Errors: `SINK_ENTRY_TOO_LARGE`, `SINK_REQUEST_TIMEOUT`, and what the converter and the client throw. Metrics: `numRecordsSend`, `numBytesSend`,
 * `numRecordsSendErrors`, `currentSendTime`.
 */
export class AsyncSink<T, R> implements Sink<T, never, AsyncSinkState<R>> {
  readonly description: string;
  readonly writerStateCodec: SnapshotCodec<AsyncSinkState<R>> = valueSnapshotCodec;
  readonly #options: AsyncSinkOptions<T, R>;
  readonly #settings: AsyncSinkSettings<T, R>;
  readonly #strategy: () => RateLimitingStrategy;

  private constructor(options: AsyncSinkOptions<T, R>) {
    const maxBatchSize = atLeast("maxBatchSize", options.maxBatchSize ?? 500, 1);
    const maxInFlightRequests = atLeast("maxInFlightRequests", options.maxInFlightRequests ?? 50, 1);
    const { sizeInBytes } = options;
    if (sizeInBytes === undefined && (options.maxBatchSizeInBytes ?? options.maxRecordSizeInBytes) !== undefined) {
      throw invalidOption("sizeInBytes", "a limit in bytes needs it", "give a function that returns the size of an entry");
    }
    this.#options = options;
    this.#settings = {
      convert: (value, context) => options.elementConverter(value, context), sizeInBytes: sizeInBytes === undefined ? () => 0 : (entry) => sizeInBytes(entry), maxBatchSize,
      maxBatchSizeInBytes: atLeast("maxBatchSizeInBytes", options.maxBatchSizeInBytes ?? Number.MAX_VALUE, 1),
      maxRecordSizeInBytes: atLeast("maxRecordSizeInBytes", options.maxRecordSizeInBytes ?? Number.MAX_VALUE, 1),
      maxBufferedRequests: atLeast("maxBufferedRequests", options.maxBufferedRequests ?? 10_000, maxBatchSize),
      maxTimeInBufferMs: duration(options.maxTimeInBuffer ?? 5_000), requestTimeoutMs: duration(options.requestTimeout ?? 600_000), failOnTimeout: options.failOnTimeout ?? false,
    };
    this.#strategy = options.rateLimitingStrategy?.bind(options) ?? (() => new CongestionControlStrategy({
      maxInFlightRequests, initialMaxInFlightEntries: maxBatchSize, scalingStrategy: new AimdScalingStrategy({ rateThreshold: maxBatchSize * maxInFlightRequests }),
    }));
    this.description = options.description ?? "asynchronous requests";
  }

  /** @throws `OPTION_INVALID`, `DURATION_INVALID` */
  static of<T, R>(options: AsyncSinkOptions<T, R>): AsyncSink<T, R> {
    return new AsyncSink(options);
  }

  createWriter(context: SinkWriterContext): Promise<SinkWriter<T>> {
    return this.restoreWriter(context, []);
  }

  async restoreWriter(context: SinkWriterContext, states: readonly AsyncSinkState<R>[]): Promise<SinkWriter<T>> {
    const client = await this.#options.connect(context);
    return new AsyncSinkWriter(context, this.#settings, client, this.#strategy(), states.flatMap(({ entries }) => entries));
  }
}
