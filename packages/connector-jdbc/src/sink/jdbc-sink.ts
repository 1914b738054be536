import type { Committer, Sink, SinkWriter, SinkWriterContext } from "@millrace/core";
import { ConnectionPool } from "../connection/connection-pool.js";
import type { JdbcConnectionSettings } from "../connection/jdbc-connection-options.js";
import { JdbcCommitter } from "./jdbc-committer.js";
import { sinkSettings } from "./jdbc-sink-options.js";
import type { ExactlyOnceSettings, JdbcSinkOptions, JdbcSinkSettings } from "./jdbc-sink-options.js";
import { KeptTransactions } from "./kept-transactions.js";
import { JdbcSinkWriter } from "./jdbc-sink-writer.js";
import { TableLayout } from "./table-layout.js";
import { TransactionLog } from "./transaction-log.js";
import { TransactionTarget } from "./transaction-target.js";
import type { JdbcCommittable } from "./transaction-target.js";
import { AutoCommitTarget } from "./write-target.js";

/** One to write with, one to look for a refused row. */
const WRITER_CONNECTIONS = 2;
/** How often what zombies of earlier attempts may have left is looked for, and old records are deleted. */
const CLEAN_UP_INTERVAL_MS = 600_000;

/** What writer and committer of one subtask share. */
interface Subtask {
  /** This writer's; `undefined` while what was restored is committed. */
  epoch: number | undefined;
  cleanedAtMs: number;
  readonly kept: KeptTransactions;
}

/**
 * Writes records into a table: inserts, upserts and deletes in batches, at least once, or exactly once in transactions that are prepared with the checkpoint and
 * committed when it is complete.
 *
 * Errors: `JDBC_TABLE_NOT_FOUND`, `JDBC_COLUMN_NOT_FOUND`, `JDBC_VALUE_INVALID`, `JDBC_ROW_REFUSED`, `JDBC_WRITE_FAILED`, `JDBC_TWO_PHASE_DISABLED`,
 * `JDBC_TOO_MANY_PREPARED`, `JDBC_TRANSACTION_LOST`, `JDBC_UNREACHABLE`, `JDBC_AUTHENTICATION_FAILED`, `JDBC_STATEMENT_FAILED`. Flink: JdbcSink.
 *
 * ```ts
 * const sink = JdbcSink.of<Order>({
 *   connection: { dialect: postgresDialect, url: "postgres://localhost/shop", username: "job", password },
 *   table: "orders", columns: ["id", "customer", "cents"], keyColumns: ["id"],
 * });
 * ```
 */
export class JdbcSink<T> implements Sink<T, JdbcCommittable> {
  readonly description: string;
  readonly createCommitter?: (context: SinkWriterContext) => Committer<JdbcCommittable>;
  readonly #settings: JdbcSinkSettings<T>;
  /** Writer and committer of a subtask are made with the same context. */
  readonly #subtasks = new WeakMap<SinkWriterContext, Subtask>();

  private constructor(settings: JdbcSinkSettings<T>) {
    this.#settings = settings;
    this.description = `${settings.connection.dialect.name} ${settings.table}`;
    const { exactlyOnce } = settings;
    if (exactlyOnce !== undefined) this.createCommitter = (context) => this.#committer(context, exactlyOnce);
  }

  /** @throws `OPTION_INVALID`, `DURATION_INVALID` */
  static of<T>(options: JdbcSinkOptions<T>): JdbcSink<T> {
    return new JdbcSink(sinkSettings(options));
  }

  async createWriter(context: SinkWriterContext): Promise<SinkWriter<T>> {
    const settings = this.#settings;
    const { exactlyOnce } = settings;
    const pool = new ConnectionPool(exactlyOnce === undefined ? settings.connection : withLockTimeout(settings.connection, exactlyOnce.lockTimeoutMs), WRITER_CONNECTIONS);
    try {
      const layout = await TableLayout.of(settings, pool);
      const shared = layout as TableLayout<never>;
      if (exactlyOnce === undefined) {
        return new JdbcSinkWriter(context, { settings, pool, layout, target: new AutoCommitTarget(pool, shared, settings.maxRetries), transactions: undefined });
      }
      const log = new TransactionLog(pool, exactlyOnce, context);
      const epoch = await log.open();
      const session = await log.succeed(epoch);
      // They hold locks that this attempt would wait for. Later ones than the checkpoint's are in no checkpoint that is complete.
      await log.rollBackLeftovers(epoch, context.restoredCheckpointId ?? 0);
      const subtask = this.#subtaskOf(context);
      subtask.epoch = epoch;
      const transactions = new TransactionTarget({ pool, layout: shared, log, context, epoch, session, kept: subtask.kept });
      return new JdbcSinkWriter(context, { settings, pool, layout, target: transactions, transactions });
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  #committer(context: SinkWriterContext, exactlyOnce: ExactlyOnceSettings): Committer<JdbcCommittable> {
    const pool = new ConnectionPool(this.#settings.connection, 1);
    const log = new TransactionLog(pool, exactlyOnce, context);
    const subtask = this.#subtaskOf(context);
    return new JdbcCommitter({
      pool, log, kept: subtask.kept, settings: exactlyOnce, warn: (line) => context.log("warn", line),
      committed: () => this.#cleanUp(log, subtask),
    });
  }

  /** Once a checkpoint of this attempt is complete, all subtasks have committed what was restored: what earlier writers have left besides is nobody's. */
  async #cleanUp(log: TransactionLog, subtask: Subtask): Promise<void> {
    if (subtask.epoch === undefined || Date.now() - subtask.cleanedAtMs < CLEAN_UP_INTERVAL_MS) return;
    subtask.cleanedAtMs = Date.now();
    await log.rollBackLeftovers(subtask.epoch, 0);
    await log.forgetOld();
  }

  #subtaskOf(context: SinkWriterContext): Subtask {
    let subtask = this.#subtasks.get(context);
    if (subtask === undefined) this.#subtasks.set(context, (subtask = { epoch: undefined, cleanedAtMs: 0, kept: new KeptTransactions() }));
    return subtask;
  }
}

function withLockTimeout(settings: JdbcConnectionSettings, lockTimeoutMs: number): JdbcConnectionSettings {
  return { ...settings, target: { ...settings.target, initialStatements: [...settings.target.initialStatements, settings.dialect.lockTimeout(lockTimeoutMs)] } };
}
