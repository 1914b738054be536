import type { SinkWriterContext } from "@millrace/core";
import type { ConnectionPool } from "../connection/connection-pool.js";
import { failureOf, jdbcError } from "../connection/jdbc-error.js";
import type { JdbcConnection, JdbcTableWriter } from "../dialect/jdbc-dialect.js";
import { writeChanges } from "./change-batch.js";
import type { RowChange } from "./change-batch.js";
import { refusedRow } from "./refused-row.js";
import type { KeptTransactions } from "./kept-transactions.js";
import type { TableLayout } from "./table-layout.js";
import type { TransactionLog } from "./transaction-log.js";
import { nameOf } from "./transaction-names.js";
import type { WriteTarget } from "./write-target.js";

/** A transaction that is prepared: whoever has its name can commit it, from any process. */
export interface JdbcCommittable {
  readonly name: string;
  readonly rows: number;
  readonly preparedAtMs: number;
}

interface OpenTransaction {
  readonly name: string;
  readonly connection: JdbcConnection;
  readonly writer: JdbcTableWriter;
  rows: number;
}

export interface TransactionTargetParts {
  readonly pool: ConnectionPool;
  readonly layout: TableLayout<never>;
  readonly log: TransactionLog;
  readonly context: SinkWriterContext;
  readonly epoch: number;
  /** What its sessions are called. */
  readonly session: string;
  readonly kept: KeptTransactions;
}

/** All batches between two checkpoints in one transaction, which is prepared at the checkpoint. */
export class TransactionTarget implements WriteTarget {
  readonly #pool: ConnectionPool;
  readonly #layout: TableLayout<never>;
  readonly #log: TransactionLog;
  readonly #context: SinkWriterContext;
  readonly #epoch: number;
  readonly #session: string;
  readonly #kept: KeptTransactions;
  #lastCheckpoint: number;
  #open: OpenTransaction | undefined;

  constructor({ pool, layout, log, context, epoch, session, kept }: TransactionTargetParts) {
    this.#pool = pool;
    this.#layout = layout;
    this.#log = log;
    this.#context = context;
    this.#epoch = epoch;
    this.#session = session;
    this.#kept = kept;
    this.#lastCheckpoint = context.restoredCheckpointId ?? 0;
  }

  /** This subtask has taken part in a checkpoint: what comes belongs to a later one. */
  snapshotTaken(checkpointId: number): void {
    this.#lastCheckpoint = Math.max(this.#lastCheckpoint, checkpointId);
  }

  async write(changes: readonly RowChange[]): Promise<void> {
    const open = (this.#open ??= await this.#begin());
    try {
      await writeChanges(open.writer, this.#layout, changes);
      open.rows += changes.length;
    } catch (error) {
      this.abandon();
      if (failureOf(this.#pool.settings, error)?.kind === "row") throw await refusedRow(this.#pool, this.#layout, changes, error);
      throw jdbcError(this.#pool.settings, `writing ${changes.length} rows to table ${this.#layout.target.table}`, error);
    }
  }

  /** Ends the transaction, if one is open, so that it outlives this process and the server's. */
  async prepare(): Promise<readonly JdbcCommittable[]> {
    const open = this.#open;
    if (open === undefined) return [];
    const { name, connection, rows } = open;
    let isKept: boolean;
    try {
      await this.#log.record(connection, name);
      isKept = await connection.prepare(name);
    } catch (error) {
      // It may be prepared all the same: the next attempt rolls it back.
      this.abandon();
      throw jdbcError(this.#pool.settings, `preparing transaction "${name}"`, error);
    }
    this.#open = undefined;
    // So that no two transactions have one name, even if no snapshot follows.
    this.#lastCheckpoint++;
    if (isKept) this.#kept.keep(name, connection, this.#pool);
    else this.#pool.release(connection);
    return [{ name, rows, preparedAtMs: Date.now() }];
  }

  /** Leaves the transaction to the server, which rolls it back when its connection goes. */
  abandon(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) this.#pool.destroy(open.connection);
  }

  async close(): Promise<void> {
    this.abandon();
    await this.#kept.close();
  }

  async #begin(): Promise<OpenTransaction> {
    const name = nameOf(this.#log.base, this.#context, { subtask: this.#context.subtaskIndex, checkpoint: this.#lastCheckpoint + 1, epoch: this.#epoch });
    const connection = await this.#pool.acquireWith(`beginning transaction "${name}"`, async (fresh) => {
      await fresh.nameSession(this.#session);
      await fresh.begin(name);
    });
    return { name, connection, writer: connection.tableWriter(this.#layout.target), rows: 0 };
  }
}
