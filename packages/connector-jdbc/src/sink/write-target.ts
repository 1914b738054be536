import type { ConnectionPool } from "../connection/connection-pool.js";
import { Backoff } from "../connection/connection-pool.js";
import { failureOf, jdbcError } from "../connection/jdbc-error.js";
import { statementsOf, writeChanges } from "./change-batch.js";
import type { RowChange } from "./change-batch.js";
import { refusedRow } from "./refused-row.js";
import type { TableLayout } from "./table-layout.js";

/** Where batches go. */
export interface WriteTarget {
  /** @throws `JDBC_ROW_REFUSED`, `JDBC_WRITE_FAILED`, `JDBC_UNREACHABLE`, `JDBC_STATEMENT_FAILED` */
  write(changes: readonly RowChange[]): Promise<void>;
}

/** Each batch in a transaction of its own, tried again when something passes by: at least once. */
export class AutoCommitTarget implements WriteTarget {
  readonly #pool: ConnectionPool;
  readonly #layout: TableLayout<never>;
  readonly #maxRetries: number;

  constructor(pool: ConnectionPool, layout: TableLayout<never>, maxRetries: number) {
    this.#pool = pool;
    this.#layout = layout;
    this.#maxRetries = maxRetries;
  }

  async write(changes: readonly RowChange[]): Promise<void> {
    const { settings } = this.#pool;
    const what = `writing ${changes.length} rows to table ${this.#layout.target.table}`;
    const backoff = new Backoff();
    const endMs = Date.now() + settings.connectionWaitMs;
    for (let attempt = 0; ; attempt++) {
      // Waits for a server that is away.
      const connection = await this.#pool.acquire(what);
      try {
        const writer = connection.tableWriter(this.#layout.target);
        if (statementsOf(this.#layout, changes) === 1) await writeChanges(writer, this.#layout, changes);
        else {
          await connection.begin();
          await writeChanges(writer, this.#layout, changes);
          await connection.commit();
        }
        this.#pool.release(connection);
        return;
      } catch (error) {
        this.#pool.destroy(connection);
        const kind = failureOf(settings, error)?.kind;
        if (kind === "row") throw await refusedRow(this.#pool, this.#layout, changes, error);
        const isPassing = kind === "transient" ? attempt < this.#maxRetries : kind === "connection" && (attempt < this.#maxRetries || Date.now() < endMs);
        if (!isPassing) throw jdbcError(settings, what, error);
        await backoff.pause();
      }
    }
  }
}
