import { MillraceError } from "@millrace/core";
import type { JdbcConnection } from "../dialect/jdbc-dialect.js";
import type { JdbcConnectionSettings } from "./jdbc-connection-options.js";
import { failureOf, jdbcError } from "./jdbc-error.js";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 3000;

/** Waits between two attempts: twice as long each time, up to three seconds, and never two clients in step. */
export class Backoff {
  #pauseMs: number = FIRST_PAUSE_MS;

  async pause(): Promise<void> {
    const ms = this.#pauseMs * (0.5 + Math.random() / 2);
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

/** A few connections that are opened when needed and used again. A server that is away is waited for. */
export class ConnectionPool {
  readonly settings: JdbcConnectionSettings;
  readonly #size: number;
  readonly #waiting: (() => void)[] = [];
  readonly #inUse = new Set<JdbcConnection>();
  #idle: JdbcConnection[] = [];
  #open: number = 0;
  #closed: boolean = false;

  constructor(settings: JdbcConnectionSettings, size: number) {
    this.settings = settings;
    this.#size = size;
  }

  /** A connection of one's own until `release`. @throws `JDBC_UNREACHABLE`, `JDBC_AUTHENTICATION_FAILED` */
  async acquire(what: string): Promise<JdbcConnection> {
    while (this.#open >= this.#size && this.#idle.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#closed) throw new MillraceError({ code: "JDBC_UNREACHABLE", message: `${what}: its task is closed`, recovery: "restart" });
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      if (!idle.isBroken) {
        this.#inUse.add(idle);
        return idle;
      }
      this.#open--;
    }
    this.#open++;
    try {
      const connection = await this.#connect(what);
      this.#inUse.add(connection);
      return connection;
    } catch (error) {
      this.#left();
      throw error;
    }
  }

  /** Gives it back; a broken one is dropped. */
  release(connection: JdbcConnection): void {
    if (connection.isBroken || this.#closed) return this.destroy(connection);
    this.#inUse.delete(connection);
    this.#idle.push(connection);
    this.#waiting.shift()?.();
  }

  /** Drops one that may be in the middle of something. */
  destroy(connection: JdbcConnection): void {
    if (!this.#inUse.delete(connection)) return;
    this.#left();
    void connection.close().catch(() => undefined);
  }

  /** Leaves a connection to its user, who closes it or gives it to `takeBack`: it does not count any more. */
  lend(connection: JdbcConnection): void {
    if (this.#inUse.delete(connection)) this.#left();
  }

  /** Takes what was lent; closes what is broken or too much. */
  takeBack(connection: JdbcConnection): void {
    if (connection.isBroken || this.#closed || this.#open >= this.#size) {
      void connection.close().catch(() => undefined);
      return;
    }
    this.#open++;
    this.#idle.push(connection);
    this.#waiting.shift()?.();
  }

  /** Does something with a connection, and again when the connection breaks, as long as the server may be away. @param work must be repeatable */
  async retrying<R>(what: string, work: (connection: JdbcConnection) => Promise<R>, limitMs: number = this.settings.connectionWaitMs): Promise<R> {
    const [connection, result] = await this.#retry(what, work, limitMs);
    this.release(connection);
    return result;
  }

  /** A connection of one's own with which something was done first. @param work must be repeatable */
  async acquireWith(what: string, work: (connection: JdbcConnection) => Promise<void>): Promise<JdbcConnection> {
    return (await this.#retry(what, work, this.settings.connectionWaitMs))[0];
  }

  /** Closes all connections, also those that are in the middle of something. */
  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#idle, ...this.#inUse];
    this.#idle = [];
    this.#inUse.clear();
    this.#open -= all.length;
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.all(all.map((connection) => connection.close().catch(() => undefined)));
  }

  async #retry<R>(what: string, work: (connection: JdbcConnection) => Promise<R>, limitMs: number): Promise<[JdbcConnection, R]> {
    const endMs = Date.now() + limitMs;
    const backoff = new Backoff();
    for (;;) {
      const connection = await this.acquire(what);
      try {
        return [connection, await work(connection)];
      } catch (error) {
        this.destroy(connection);
        const kind = failureOf(this.settings, error)?.kind;
        if ((kind !== "connection" && kind !== "transient") || Date.now() >= endMs || this.#closed) throw jdbcError(this.settings, what, error);
        await backoff.pause();
      }
    }
  }

  async #connect(what: string): Promise<JdbcConnection> {
    const { dialect, target, connectionWaitMs } = this.settings;
    const endMs = Date.now() + connectionWaitMs;
    const backoff = new Backoff();
    for (;;) {
      try {
        return await dialect.connect(target);
      } catch (error) {
        if (failureOf(this.settings, error)?.kind !== "connection" || Date.now() >= endMs || this.#closed) throw jdbcError(this.settings, what, error);
        await backoff.pause();
      }
    }
  }

  #left(): void {
    this.#open--;
    this.#waiting.shift()?.();
  }
}
