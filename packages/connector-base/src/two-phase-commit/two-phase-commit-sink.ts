import { duration, invalidOption } from "@millrace/core";
import type { Committer, DurationLike, Sink, SinkWriter, SinkWriterContext, SnapshotCodec } from "@millrace/core";
import { UnitNames } from "../unit-names.js";
import type { UnitNamesState } from "../unit-names.js";
import { valueSnapshotCodec } from "../value-snapshot-codec.js";
import type { Transaction, TransactionalConnection } from "./transactional-connection.js";
import { TransactionCommitter } from "./transaction-committer.js";
import { TransactionWriter } from "./transaction-writer.js";

/** How a {@link TwoPhaseCommitSink} reaches the external system. */
export interface TwoPhaseCommitSinkOptions<T, H = undefined> {
  /** Opens a connection: called for the writer and for the committer of each subtask. */
  connect(context: SinkWriterContext): TransactionalConnection<T, H> | Promise<TransactionalConnection<T, H>>;
  /**
   * Begins the ids of all transactions. Must differ between all sinks and jobs that write to one external system at the same time, and stay the same for one job:
   * what an earlier attempt of the job left open is found by it, and aborted.
   */
  readonly transactionalIdPrefix: string;
  /** After which the external system gives up transactions by itself. The sink warns before; unknown when not set. */
  readonly transactionTimeout?: DurationLike;
  /** Which part of `transactionTimeout` a transaction may be old without a warning when it is committed. Default 0.8. */
  readonly transactionTimeoutWarningRatio?: number;
  /** What to do when a transaction of a complete checkpoint is lost. Default `"fail"`; `"warn"` goes on without its records. */
  readonly onTransactionLost?: "fail" | "warn";
  /** Named in plans. */
  readonly description?: string;
}

/** Those options, checked and with all defaults. */
export interface TwoPhaseCommitSettings {
  readonly transactionTimeoutMs: number;
  readonly warnAfterMs: number;
  readonly onTransactionLost: "fail" | "warn";
}

/**
 * Writes exactly once to any external system with transactions that can be prepared: all records between two checkpoints of a subtask are one transaction, which
 * is prepared with the checkpoint and committed when the checkpoint is complete. Readers see records one checkpoint later. Transactions that failures leave
 * behind are aborted when the job restarts, those of other jobs of the prefix after its first commit. Flink: TwoPhaseCommitSinkFunction.
 *
 * Errors: `SINK_TRANSACTION_LOST`, and what the connection throws.
 *
 * ```ts
 * stream.sinkTo(TwoPhaseCommitSink.of<Row>({ connect: () => new MyConnection(), transactionalIdPrefix: "orders" }));
 * ```
 */
export class TwoPhaseCommitSink<T, H = undefined> implements Sink<T, Transaction<H>, UnitNamesState> {
  readonly description: string;
  readonly committableCodec: SnapshotCodec<Transaction<H>> = valueSnapshotCodec;
  readonly writerStateCodec: SnapshotCodec<UnitNamesState> = valueSnapshotCodec;
  readonly #options: TwoPhaseCommitSinkOptions<T, H>;
  readonly #settings: TwoPhaseCommitSettings;
  /** Writer and committer of a subtask are made with the same context. */
  readonly #names = new WeakMap<SinkWriterContext, UnitNames>();

  private constructor(options: TwoPhaseCommitSinkOptions<T, H>, settings: TwoPhaseCommitSettings) {
    this.#options = options;
    this.#settings = settings;
    this.description = options.description ?? `transactions ${options.transactionalIdPrefix}`;
  }

  /** @throws `OPTION_INVALID`, `DURATION_INVALID` */
  static of<T, H = undefined>(options: TwoPhaseCommitSinkOptions<T, H>): TwoPhaseCommitSink<T, H> {
    const { transactionalIdPrefix: prefix, transactionTimeout, transactionTimeoutWarningRatio: ratio = 0.8 } = options;
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(prefix)) {
      throw invalidOption("transactionalIdPrefix", `${JSON.stringify(prefix)} cannot begin an id`, "use up to 100 letters, digits, dashes, dots and underscores");
    }
    if (!(ratio > 0 && ratio <= 1)) throw invalidOption("transactionTimeoutWarningRatio", `${ratio} is not between 0 and 1`, "0.8 warns when four fifths of the time are gone");
    const transactionTimeoutMs = transactionTimeout === undefined ? Number.POSITIVE_INFINITY : duration(transactionTimeout);
    return new TwoPhaseCommitSink(options, { transactionTimeoutMs, warnAfterMs: transactionTimeoutMs * ratio, onTransactionLost: options.onTransactionLost ?? "fail" });
  }

  createWriter(context: SinkWriterContext): Promise<SinkWriter<T>> {
    return this.restoreWriter(context, []);
  }

  async restoreWriter(context: SinkWriterContext, states: readonly UnitNamesState[]): Promise<SinkWriter<T>> {
    const connection = await this.#options.connect(context);
    try {
      return await TransactionWriter.open(context, connection, this.#namesOf(context), this.#settings, states);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async createCommitter(context: SinkWriterContext): Promise<Committer<Transaction<H>>> {
    return new TransactionCommitter(context, await this.#options.connect(context), this.#namesOf(context), this.#settings);
  }

  #namesOf(context: SinkWriterContext): UnitNames {
    let names = this.#names.get(context);
    if (names === undefined) this.#names.set(context, (names = new UnitNames(this.#options.transactionalIdPrefix, context)));
    return names;
  }
}
