import { CHECKPOINTING_INTERVAL, RUNTIME_MODE } from "@millrace/core";
import type { CommittingSinkWriter, SinkWriteContext, SinkWriterContext, StatefulSinkWriter } from "@millrace/core";
import type { UnitNames, UnitNamesState } from "../unit-names.js";
import type { Transaction, TransactionalConnection } from "./transactional-connection.js";
import type { TwoPhaseCommitSettings } from "./two-phase-commit-sink.js";

/** Writes one subtask's records: the first one after a checkpoint begins a transaction, the next checkpoint prepares it. */
export class TransactionWriter<T, H> implements CommittingSinkWriter<T, Transaction<H>>, StatefulSinkWriter<T, UnitNamesState> {
  readonly #context: SinkWriterContext;
  readonly #connection: TransactionalConnection<T, H>;
  readonly #names: UnitNames;
  #open: Transaction<H> | undefined;

  private constructor(context: SinkWriterContext, connection: TransactionalConnection<T, H>, names: UnitNames) {
    this.#context = context;
    this.#connection = connection;
    this.#names = names;
  }

  /** Opens a writer and aborts what failed attempts left, so that it holds up nobody; `states` are those that came to this subtask. */
  static async open<T, H>(
    context: SinkWriterContext, connection: TransactionalConnection<T, H>, names: UnitNames, settings: TwoPhaseCommitSettings, states: readonly UnitNamesState[],
  ): Promise<TransactionWriter<T, H>> {
    warnOfTimeout(context, settings);
    let aborted = 0;
    const ids = await connection.listUncommitted(`${names.prefix}-`);
    names.begin(ids);
    for (const id of ids) {
      if (!names.isLeftover(id, states)) continue;
      await connection.abort(id);
      aborted++;
    }
    if (aborted > 0) context.log("info", `aborted ${aborted} transactions of "${names.prefix}" that failed attempts left open`);
    return new TransactionWriter(context, connection, names);
  }

  write(value: T, context: SinkWriteContext): void | Promise<void> {
    if (this.#open !== undefined) return this.#connection.write(this.#open, value, context);
    const { timestamp, currentWatermark } = context;
    return this.#begin(value, { timestamp, currentWatermark });
  }

  flush(): void {}

  async prepareCommit(): Promise<readonly Transaction<H>[]> {
    if (this.#open === undefined) return [];
    await this.#connection.preCommit(this.#open);
    const prepared = this.#open;
    this.#open = undefined;
    return [prepared];
  }

  snapshotState(): readonly UnitNamesState[] {
    return [this.#names.state()];
  }

  async close(): Promise<void> {
    try {
      // Nobody will write to it again: its records come again. One that is prepared is the committer's.
      if (this.#open !== undefined) await this.#connection.abort(this.#open.id);
    } finally {
      await this.#connection.close();
    }
  }

  async #begin(value: T, context: SinkWriteContext): Promise<void> {
    const id = this.#names.next();
    const beganMs = this.#context.clock.nowMs();
    this.#open = { id, handle: await this.#connection.begin(id), beganMs };
    await this.#connection.write(this.#open, value, context);
  }
}

function warnOfTimeout({ config, log }: SinkWriterContext, { transactionTimeoutMs, warnAfterMs }: TwoPhaseCommitSettings): void {
  if (config.get(RUNTIME_MODE) === "BATCH") return;
  const intervalMs = config.get(CHECKPOINTING_INTERVAL);
  if (intervalMs === undefined) log("warn", "without checkpoints, transactions are committed at the end of the input only: set execution.checkpointing.interval");
  else if (intervalMs >= warnAfterMs) log("warn", `transactions are given up after ${transactionTimeoutMs} ms, and checkpoints come only every ${intervalMs} ms: raise the timeout or shorten execution.checkpointing.interval`);
}
