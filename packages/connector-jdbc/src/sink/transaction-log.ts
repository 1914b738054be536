import { MillraceError } from "@millrace/core";
import type { SinkWriterContext } from "@millrace/core";
import type { ConnectionPool } from "../connection/connection-pool.js";
import type { JdbcConnection } from "../dialect/jdbc-dialect.js";
import type { ExactlyOnceSettings } from "./jdbc-sink-options.js";
import { nameBase, parseName, parseWriterName, sessionOf, writerName, writerPrefix } from "./transaction-names.js";

/** What a commit came to. `elsewhere`: a connection that is not quite gone yet holds the transaction. `lost`: it was rolled back. */
export type CommitOutcome = "committed" | "already-committed" | "elsewhere" | "lost";

/**
 * The prepared transactions of one sink and the table that tells which of them were committed: each transaction writes its own name there, so that name and rows are
 * seen together or not at all. A transaction that is neither prepared nor in the table was rolled back, for certain.
 */
export class TransactionLog {
  readonly base: string;
  readonly #pool: ConnectionPool;
  readonly #settings: ExactlyOnceSettings;
  readonly #context: SinkWriterContext;

  constructor(pool: ConnectionPool, settings: ExactlyOnceSettings, context: SinkWriterContext) {
    this.#pool = pool;
    this.#settings = settings;
    this.#context = context;
    this.base = nameBase(settings.prefix, context);
  }

  /**
   * Makes the table if need be, and counts a new writer. Its number is higher than those of all before it.
   * @throws `JDBC_TWO_PHASE_DISABLED`, `JDBC_TOO_MANY_PREPARED`
   */
  async open(): Promise<number> {
    const { table } = this.#settings;
    const { dialect } = this.#pool.settings;
    return this.#pool.retrying(`opening table ${table}`, async (connection) => {
      await this.#checkLimit(connection);
      if ((await connection.columnsOf(table)).length === 0) await this.#create(connection);
      return dialect.nextEpoch(connection, table, `epoch ${this.base}`);
    });
  }

  /**
   * Notes this writer and ends the sessions of those before it that this one answers for. A process that is gone without a word, or is only out of sight, may have
   * left a transaction open, whose locks the server would keep until it notices: hours, by default.
   * @returns what to call the sessions of this writer's transactions
   */
  async succeed(epoch: number): Promise<string> {
    const { parallelism, subtaskIndex } = this.#context;
    const { dialect } = this.#pool.settings;
    const table = dialect.quoteTable(this.#settings.table);
    const own = writerName(this.base, { subtask: subtaskIndex, epoch });
    await this.#pool.retrying("ending the sessions of earlier attempts", async (connection) => {
      const { rows } = await connection.execute(`SELECT name FROM ${table} WHERE name LIKE ${dialect.placeholder(1)}`, [`${writerPrefix(this.base)}%`]);
      for (const [name] of rows) {
        const writer = parseWriterName(this.base, String(name));
        if (writer === undefined || writer.epoch >= epoch || writer.subtask % parallelism !== subtaskIndex) continue;
        await connection.endSession(sessionOf(String(name)));
        await connection.execute(`DELETE FROM ${table} WHERE name = ${dialect.placeholder(1)}`, [name]);
      }
      if (!rows.some(([name]) => name === own)) await connection.execute(`INSERT INTO ${table} (name, epoch) VALUES (${dialect.placeholder(1)}, ${epoch})`, [own]);
    });
    return sessionOf(own);
  }

  /** Notes the transaction that is under way on `connection`, as a part of it. */
  async record(connection: JdbcConnection, name: string): Promise<void> {
    const { dialect } = this.#pool.settings;
    await connection.execute(`INSERT INTO ${dialect.quoteTable(this.#settings.table)} (name, prepared_ms) VALUES (${dialect.placeholder(1)}, ${Date.now()})`, [name]);
  }

  /** From whichever process, as often as you like. */
  commit(name: string, limitMs: number): Promise<CommitOutcome> {
    return this.#pool.retrying(`committing transaction "${name}"`, async (connection) => {
      // A server that says so is not believed: MariaDB had said so and lost it (0047).
      if (await connection.commitPrepared(name)) return (await this.#isRecorded(connection, name)) ? "committed" : "lost";
      if ((await connection.listPrepared(name)).includes(name)) return "elsewhere";
      // Asked last: whoever else commits it does so before it leaves that list.
      return (await this.#isRecorded(connection, name)) ? "already-committed" : "lost";
    }, limitMs);
  }

  /**
   * Rolls back what earlier writers have left, for those subtasks that this one answers for: of subtasks that are no more, each is answered for by one.
   * @param after transactions of this checkpoint and before are kept: they may be part of it
   */
  async rollBackLeftovers(epoch: number, after: number): Promise<void> {
    const { parallelism, subtaskIndex } = this.#context;
    const names = await this.#pool.retrying("looking for prepared transactions", (connection) => connection.listPrepared(this.base));
    const leftovers = names.filter((name) => {
      const parsed = parseName(this.base, name);
      return parsed !== undefined && parsed.epoch < epoch && parsed.checkpoint > after && parsed.subtask % parallelism === subtaskIndex;
    });
    for (const name of leftovers) {
      await this.#pool.retrying(`rolling back transaction "${name}"`, (connection) => connection.rollbackPrepared(name));
      this.#context.log("info", `rolled back transaction "${name}", which an earlier attempt has left`);
    }
  }

  /** Deletes the records that are old enough. */
  async forgetOld(): Promise<void> {
    const { dialect } = this.#pool.settings;
    const table = dialect.quoteTable(this.#settings.table);
    await this.#pool.retrying("deleting old transaction records", async (connection) => {
      // Read first and deleted by key: a scan that deletes would wait for the records of transactions that are not committed.
      const { rows } = await connection.execute(`SELECT name FROM ${table} WHERE epoch IS NULL AND prepared_ms < ${Date.now() - this.#settings.retentionMs}`);
      const own = rows.map(([name]) => String(name)).filter((name) => parseName(this.base, name)?.subtask === this.#context.subtaskIndex);
      for (const name of own) await connection.execute(`DELETE FROM ${table} WHERE name = ${dialect.placeholder(1)}`, [name]);
    });
  }

  async #isRecorded(connection: JdbcConnection, name: string): Promise<boolean> {
    const { dialect } = this.#pool.settings;
    return (await connection.execute(`SELECT name FROM ${dialect.quoteTable(this.#settings.table)} WHERE name = ${dialect.placeholder(1)}`, [name])).rows.length > 0;
  }

  async #create(connection: JdbcConnection): Promise<void> {
    const { table } = this.#settings;
    try {
      await connection.execute(this.#pool.settings.dialect.createTransactionTable(table));
    } catch (error) {
      // Another subtask may have been faster.
      if (connection.isBroken || (await connection.columnsOf(table)).length === 0) throw error;
    }
  }

  async #checkLimit(connection: JdbcConnection): Promise<void> {
    const { dialect, place } = this.#pool.settings;
    const { parallelism, subtaskIndex } = this.#context;
    const { maximum, inUse } = await connection.preparedTransactionLimit();
    if (maximum === undefined) return;
    if (maximum === 0) {
      throw new MillraceError({ code: "JDBC_TWO_PHASE_DISABLED", message: `${dialect.name} at ${place} takes no prepared transactions, which exactly-once is made of`, hint: dialect.twoPhaseHint, location: { option: "deliveryGuarantee" } });
    }
    if (maximum < parallelism) {
      throw new MillraceError({ code: "JDBC_TOO_MANY_PREPARED", message: `${dialect.name} at ${place} takes ${maximum} prepared transactions, and this sink needs one for each of its ${parallelism} subtasks`, hint: dialect.twoPhaseHint });
    }
    if (subtaskIndex === 0 && maximum - inUse < 2 * parallelism) {
      this.#context.log("warn", `${dialect.name} at ${place} takes ${maximum} prepared transactions, ${inUse} are in use: this sink may need ${2 * parallelism}. ${dialect.twoPhaseHint}`);
    }
  }
}
