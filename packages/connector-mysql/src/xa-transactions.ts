import { createHash } from "node:crypto";
import { StatementTimeout } from "@millrace/connector-jdbc";
import { mysqlFailure } from "./mysql-failure.js";

/** Waits for a lock of a session that is just ending. */
const LOCK_LIMIT_S = 5;
/** A session that is ended may have much to roll back. */
const GONE_LIMIT_MS = 60_000;
const GONE_POLL_MS = 5;
/**
 * From when a session has let go of its locks until its transaction is safe to touch. What lies between is some microseconds of one thread of the server, which nothing
 * that a user may ask for tells the end of.
 */
const SETTLE_MS = 1000;
const NO_SUCH_THREAD = "1094";
const XAER_NOTA = "1397";
/** The branch was rolled back: by itself, for a timeout, for a deadlock. */
const XA_ROLLED_BACK = ["1402", "1613", "1614"];
/** Another session has the lock: as when a row is locked. */
const LOCK_WAIT_TIMEOUT = 1205;
/** Of the two parts of a transaction's name. */
const XID_PART = 64;

/** What a connection is to this. */
export interface XaSession {
  run(sql: string): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * XA transactions as one connection sees them.
 *
 * MariaDB lets go of a prepared transaction in two steps when its session ends: first other sessions may commit it or roll it back, and a moment later InnoDB knows. In
 * between, `XA COMMIT` says that it has committed, and has not: the transaction is in no list any more, keeps its locks and is back when the server starts again; or
 * the server crashes. So a connection keeps what it has prepared until it is committed, and whoever comes without it waits until the session that had it is gone for
 * good. Which one that is, a lock of the transaction's name tells.
 */
export class XaTransactions {
  readonly #session: XaSession;
  /** The lock that the writer's open transaction has. */
  #sessionName: string | undefined;
  /** The lock of the transaction that is open or kept, or was the last. */
  #ownLock: string | undefined;
  #kept: string | undefined;

  constructor(session: XaSession) {
    this.#session = session;
  }

  async nameSession(name: string): Promise<void> {
    if (this.#sessionName === name) return;
    await this.#lock(`GET_LOCK('${name}', ${LOCK_LIMIT_S})`);
    this.#sessionName = name;
  }

  async endSession(name: string): Promise<void> {
    const limitMs = Date.now() + GONE_LIMIT_MS;
    for (let id = await this.#holderOf(name); id !== undefined; id = await this.#holderOf(name)) {
      if (Date.now() > limitMs) throw new StatementTimeout(`KILL ${id}`, GONE_LIMIT_MS);
      try {
        await this.#session.run(`KILL ${id}`);
      } catch (error) {
        if (mysqlFailure(error).state !== NO_SUCH_THREAD) throw error;
      }
      await pause(GONE_POLL_MS);
    }
  }

  async begin(name: string): Promise<void> {
    const lock = lockOf(name);
    await this.#lock(`GET_LOCK('${lock}', ${LOCK_LIMIT_S})${this.#ownLock === undefined ? "" : `, RELEASE_LOCK('${this.#ownLock}')`}`);
    this.#ownLock = lock;
    await this.#session.run(`XA START ${xidOf(name)}`);
  }

  async prepare(name: string): Promise<boolean> {
    await this.#session.run(`XA END ${xidOf(name)}`);
    await this.#session.run(`XA PREPARE ${xidOf(name)}`);
    this.#kept = name;
    if (this.#sessionName === undefined) return true;
    try {
      // Of the writer's next transaction from here on.
      await this.#session.run(`DO RELEASE_LOCK('${this.#sessionName}')`);
      this.#sessionName = undefined;
      return true;
    } catch (error) {
      if (mysqlFailure(error).kind === "connection") throw error;
      await this.#session.close();
      return false;
    }
  }

  async commit(name: string): Promise<boolean> {
    if (!(await this.#isReachable(name))) return false;
    return this.#end(`XA COMMIT ${xidOf(name)}`);
  }

  async rollback(name: string): Promise<void> {
    if (await this.#isReachable(name)) await this.#end(`XA ROLLBACK ${xidOf(name)}`);
  }

  async list(prefix: string): Promise<readonly string[]> {
    const rows = (await this.#session.run("XA RECOVER")) as readonly (readonly unknown[])[];
    return rows.map((row) => String(row[3])).filter((name) => name.startsWith(prefix));
  }

  /** Whether it is prepared; ends the session that has kept it, if it is another one, and waits until that has come to its end. */
  async #isReachable(name: string): Promise<boolean> {
    if (this.#kept === name) return true;
    if (!(await this.list(name)).includes(name)) return false;
    await this.endSession(lockOf(name));
    await pause(SETTLE_MS);
    return true;
  }

  /** @returns false when there is no such transaction, or it was rolled back */
  async #end(statement: string): Promise<boolean> {
    this.#kept = undefined;
    try {
      await this.#session.run(statement);
      return true;
    } catch (error) {
      const { state } = mysqlFailure(error);
      if (state === XAER_NOTA || XA_ROLLED_BACK.includes(state)) return false;
      throw error;
    }
  }

  /** @param expressions the lock that is needed, first */
  async #lock(expressions: string): Promise<void> {
    const [[got]] = (await this.#session.run(`SELECT ${expressions}`)) as [[unknown]];
    if (Number(got) !== 1) throw Object.assign(new Error("another session has the lock of this one"), { errno: LOCK_WAIT_TIMEOUT });
  }

  async #holderOf(lock: string): Promise<string | undefined> {
    const [[id]] = (await this.#session.run(`SELECT IS_USED_LOCK('${lock}')`)) as [[unknown]];
    return id === null ? undefined : String(id);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A name as the two parts of an XA transaction's. */
function xidOf(name: string): string {
  return name.length <= XID_PART ? `'${name}'` : `'${name.slice(0, XID_PART)}','${name.slice(XID_PART)}'`;
}

/** The lock of a transaction; names of locks are short. */
function lockOf(name: string): string {
  return `millrace_${createHash("sha256").update(name).digest("hex").slice(0, 40)}`;
}
