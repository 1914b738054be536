import { invalidOption } from "@millrace/core";
import type { Committer, CommittingSinkWriter, Sink, SinkWriterContext, SnapshotCodec } from "@millrace/core";
import { atLeast } from "../at-least.js";
import { UnitNames } from "../unit-names.js";
import { valueSnapshotCodec } from "../value-snapshot-codec.js";
import type { DeliveryLog } from "./delivery-log.js";
import { encodeRecords } from "./kept-batch.js";
import type { KeptBatch } from "./kept-batch.js";
import { WriteAheadCommitter } from "./write-ahead-committer.js";

/** Records of one subtask, in order, that one checkpoint holds. */
export interface WriteAheadBatch<T> {
  /** Never used for other records; the same whenever the batch comes again. Letters, digits and dashes behind the sink's name. */
  readonly id: string;
  /** When its checkpoint was taken, in milliseconds since the epoch. */
  readonly createdMs: number;
  readonly records: readonly T[];
}

/** The way to the external system. Called from the task's thread, one call at a time. */
export interface WriteAheadTarget<T> {
  /**
   * Writes a batch whose checkpoint is complete; done when it is stored. May be called again with the same batch, after a failure or when its answer was lost.
   * What it throws fails the job, which restarts and delivers again; a `MillraceError` with `recovery: "retry"` makes it try again first.
   */
  deliver(batch: WriteAheadBatch<T>): void | Promise<void>;
  close(): void | Promise<void>;
}

/** How a {@link WriteAheadSink} delivers. */
export interface WriteAheadSinkOptions<T> {
  /** Begins the ids of all batches. Should differ between sinks that write to one external system. */
  readonly name: string;
  /** Opens the way to the external system, once per subtask. */
  connect(context: SinkWriterContext): WriteAheadTarget<T> | Promise<WriteAheadTarget<T>>;
  /** Remembers what was delivered, so that it is not delivered again. Made once per subtask. Without one, delivering must be idempotent to be exactly once. */
  log?(context: SinkWriterContext): DeliveryLog | Promise<DeliveryLog>;
  /** The most records of one batch; a checkpoint's records may be several batches. Full ones are kept encoded. Default 10000. */
  readonly maxBatchRecords?: number;
}

/**
 * Writes to an external system that has no transactions: records are kept in the checkpoints until theirs is complete, and only then delivered, in order. Nothing
 * is ever delivered that a failure could take back. Whether something is delivered twice is up to the external system: not when it takes the same batch twice
 * without effect, or when the {@link DeliveryLog} is written in one step with it; else only when the job dies between a delivery and its note.
 *
 * All records since the last complete checkpoint are in memory, encoded and outside of the heap, and in every checkpoint until they are delivered. There is no limit
 * that would hold the input back: a checkpoint could not pass it either. So the interval of checkpoints and the rate must fit the memory. After a change of parallelism, batches of one
 * former subtask may be delivered by several. Flink: GenericWriteAheadSink.
 *
 * ```ts
 * stream.sinkTo(WriteAheadSink.of<Row>({ name: "orders", connect: () => ({ deliver: (batch) => post(batch), close() {} }) }));
 * ```
 */
export class WriteAheadSink<T> implements Sink<T, KeptBatch<T>> {
  readonly description: string;
  readonly committableCodec: SnapshotCodec<KeptBatch<T>> = valueSnapshotCodec;
  readonly #options: WriteAheadSinkOptions<T>;
  readonly #maxBatchRecords: number;

  private constructor(options: WriteAheadSinkOptions<T>) {
    this.#options = options;
    this.#maxBatchRecords = Math.floor(atLeast("maxBatchRecords", options.maxBatchRecords ?? 10_000, 1));
    this.description = `write-ahead ${options.name}`;
  }

  /** @throws `OPTION_INVALID` */
  static of<T>(options: WriteAheadSinkOptions<T>): WriteAheadSink<T> {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(options.name)) {
      throw invalidOption("name", `${JSON.stringify(options.name)} cannot begin an id`, "use up to 100 letters, digits, dashes, dots and underscores");
    }
    return new WriteAheadSink(options);
  }

  createWriter(context: SinkWriterContext): CommittingSinkWriter<T, KeptBatch<T>> {
    return new WriteAheadWriter<T>(new UnitNames(this.#options.name, context), () => context.clock.nowMs(), this.#maxBatchRecords);
  }

  async createCommitter(context: SinkWriterContext): Promise<Committer<KeptBatch<T>>> {
    const target = await this.#options.connect(context);
    try {
      return new WriteAheadCommitter(target, await this.#options.log?.(context));
    } catch (error) {
      await target.close();
      throw error;
    }
  }
}

/** Keeps records until a checkpoint takes them. */
class WriteAheadWriter<T> implements CommittingSinkWriter<T, KeptBatch<T>> {
  readonly #names: UnitNames;
  readonly #nowMs: () => number;
  readonly #maxBatchRecords: number;
  #records: T[] = [];
  #full: Uint8Array[] = [];

  constructor(names: UnitNames, nowMs: () => number, maxBatchRecords: number) {
    this.#names = names;
    this.#nowMs = nowMs;
    this.#maxBatchRecords = maxBatchRecords;
  }

  write(value: T): void {
    this.#records.push(value);
    if (this.#records.length === this.#maxBatchRecords) this.#encode();
  }

  flush(): void {}

  prepareCommit(): readonly KeptBatch<T>[] {
    if (this.#records.length > 0) this.#encode();
    const full = this.#full;
    this.#full = [];
    return full.map((encoded) => ({ id: this.#names.next(), createdMs: this.#nowMs(), encoded }));
  }

  #encode(): void {
    this.#full.push(encodeRecords(this.#records));
    this.#records = [];
  }

  close(): void {}
}
