import type { ConnectionPool } from "../connection/connection-pool.js";
import type { JdbcConnection } from "../dialect/jdbc-dialect.js";

interface Kept {
  readonly connection: JdbcConnection;
  readonly pool: ConnectionPool;
}

/** When checkpoints fail one after the other, what was prepared for them is committed with the next that does not. More connections than this are not held for it. */
const MOST_KEPT = 8;

/** Connections that have kept what they prepared, from the writer that prepared it to the committer of the same subtask. */
export class KeptTransactions {
  readonly #byName = new Map<string, Kept>();

  keep(name: string, connection: JdbcConnection, pool: ConnectionPool): void {
    pool.lend(connection);
    this.#byName.set(name, { connection, pool });
    for (const [oldest, kept] of this.#byName) {
      if (this.#byName.size <= MOST_KEPT) break;
      this.#byName.delete(oldest);
      void kept.connection.close().catch(() => undefined);
    }
  }

  /** Commits by the connection that has kept it. Resolves with false when there is none, or it failed, as connections do: then it may be committed or not. */
  async commit(name: string): Promise<boolean> {
    const kept = this.#byName.get(name);
    if (kept === undefined) return false;
    this.#byName.delete(name);
    const { connection, pool } = kept;
    if (await connection.commitPrepared(name).catch(() => false)) {
      pool.takeBack(connection);
      return true;
    }
    await connection.close().catch(() => undefined);
    return false;
  }

  /** Leaves the rest to whoever restores the checkpoint that it belongs to. */
  async close(): Promise<void> {
    const all = [...this.#byName.values()];
    this.#byName.clear();
    await Promise.all(all.map(({ connection }) => connection.close().catch(() => undefined)));
  }
}
