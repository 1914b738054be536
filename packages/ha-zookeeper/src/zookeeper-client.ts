import type { Cancellable, Connection, Env, Secret } from "@millrace/core";
import { JuteReader, JuteWriter } from "./jute.js";
import {
  creatorAcl, errorCodes, isZooKeeperError, opCodes, openAcl, readMulti, readStat, writeCreate, writeMulti, xids, ZooKeeperError, type CreateMode, type MultiOp, type Stat,
} from "./operations.js";
import { ZooKeeperConnection, type SessionId } from "./zookeeper-connection.js";

export interface ZooKeeperClientInit {
  readonly env: Pick<Env, "clock" | "net" | "rng" | "log">;
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  readonly sessionTimeoutMs: number;
  readonly connectionTimeoutMs: number;
  readonly retryWaitMs: number;
  readonly maxRetries: number;
  /** `user:password` of the digest scheme. */
  readonly auth: Secret | undefined;
}

/** What becomes of the session. Calls come one at a time, outside of calls of the client. */
export interface SessionListener {
  /** A connection stands. `fresh` when the session is a new one, which owns no ephemeral nodes. */
  connected(fresh: boolean): void;
  /** The connection broke; the session may live on, and a new connection is sought. */
  suspended(): void;
  /** The session is over, its ephemeral nodes are gone; a new one follows. */
  expired(): void;
}

const noSession = (timeoutMs: number): SessionId => ({ id: 0n, password: new Uint8Array(16), timeoutMs });

/**
 * A session with a ZooKeeper ensemble, kept over connections and begun anew when it expires.
 *
 * Operations wait for a connection. Reads that lose theirs are repeated; writes reject with connection loss, and their outcome is unknown.
 * A watch calls back once: at the change, or when its connection broke, for it may have missed the change.
 */
export class ZooKeeperClient {
  readonly #init: ZooKeeperClientInit;
  readonly #listener: SessionListener;
  #session: SessionId;
  #lastZxid = 0n;
  #connection: ZooKeeperConnection | undefined;
  #established = false;
  #closed = false;
  #nextServer: number;
  #attempts = 0;
  #retry: Cancellable | undefined;
  #waiting: { readonly resolve: (connection: ZooKeeperConnection) => void; readonly reject: (error: unknown) => void }[] = [];
  #watches: { readonly path: string; readonly changed: () => void }[] = [];
  #lastProblem = "";

  constructor(init: ZooKeeperClientInit, listener: SessionListener) {
    this.#init = init;
    this.#listener = listener;
    this.#session = noSession(init.sessionTimeoutMs);
    this.#nextServer = Math.floor(init.env.rng.next() * init.servers.length);
    void this.#connect();
  }

  /** As agreed with the servers. */
  get sessionTimeoutMs(): number {
    return this.#session.timeoutMs;
  }

  get sessionId(): bigint {
    return this.#session.id;
  }

  /** @throws `ZooKeeperError`: nodeExists, noNode (the parent), connectionLoss */
  async create(path: string, data: Uint8Array, mode: CreateMode): Promise<string> {
    const connection = await this.#whenConnected();
    const acl = this.#init.auth === undefined ? openAcl : creatorAcl;
    return (await connection.request(opCodes.create, path, (writer) => writeCreate(writer, path, data, mode, acl))).string();
  }

  /** Creates a persistent node and its parents, those that are not there. */
  async ensurePath(path: string): Promise<void> {
    const names = path.split("/").slice(1);
    for (let depth = 1; depth <= names.length; depth++) {
      const part = `/${names.slice(0, depth).join("/")}`;
      if ((await this.exists(part)) !== undefined) continue;
      try {
        await this.create(part, new Uint8Array(), "persistent");
      } catch (error) {
        if (isZooKeeperError(error, errorCodes.connectionLoss)) depth--;
        else if (!isZooKeeperError(error, errorCodes.nodeExists)) throw error;
      }
    }
  }

  /** Deletes whatever version; nothing there is fine, and so is a node that has children when `keepParents`. */
  async delete(path: string, keepParents: boolean = false): Promise<void> {
    const connection = await this.#whenConnected();
    try {
      await connection.request(opCodes.delete, path, (writer) => writer.string(path).int(-1));
    } catch (error) {
      if (!isZooKeeperError(error, errorCodes.noNode) && !(keepParents && isZooKeeperError(error, errorCodes.notEmpty))) throw error;
    }
  }

  async exists(path: string, changed?: () => void): Promise<Stat | undefined> {
    return this.#read(opCodes.exists, path, changed, readStat);
  }

  async getData(path: string, changed?: () => void): Promise<{ readonly data: Uint8Array; readonly stat: Stat } | undefined> {
    return this.#read(opCodes.getData, path, changed, (reader) => ({ data: reader.buffer(), stat: readStat(reader) }));
  }

  async getChildren(path: string): Promise<string[]> {
    return (await this.#read(opCodes.getChildren, path, undefined, (reader) => reader.strings())) ?? [];
  }

  /** All steps or none. @throws `ZooKeeperError` of the step that failed. */
  async multi(ops: readonly MultiOp[]): Promise<void> {
    const connection = await this.#whenConnected();
    const acl = this.#init.auth === undefined ? openAcl : creatorAcl;
    readMulti(await connection.request(opCodes.multi, "", (writer) => writeMulti(writer, ops, acl)), ops);
  }

  /** Ends the session, and with it its ephemeral nodes, at once when it is connected. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#retry?.cancel();
    const connection = this.#connection;
    for (const { reject } of this.#waiting.splice(0)) reject(new ZooKeeperError(errorCodes.connectionLoss, ""));
    if (connection !== undefined && this.#established) await connection.request(opCodes.closeSession, "", () => undefined).catch(() => undefined);
    connection?.close();
  }

  async #read<T>(opCode: number, path: string, changed: (() => void) | undefined, parse: (reader: JuteReader) => T): Promise<T | undefined> {
    for (let attempt = 1; ; attempt++) {
      const connection = await this.#whenConnected();
      const watch = changed === undefined ? undefined : { path, changed };
      if (watch !== undefined) this.#watches.push(watch);
      try {
        return parse(await connection.request(opCode, path, (writer) => writer.string(path).bool(watch !== undefined)));
      } catch (error) {
        // Only `exists` leaves a watch where there is no node.
        const keepsWatch = opCode === opCodes.exists && isZooKeeperError(error, errorCodes.noNode);
        if (!keepsWatch) this.#watches = this.#watches.filter((one) => one !== watch);
        if (isZooKeeperError(error, errorCodes.noNode)) return undefined;
        if (!isZooKeeperError(error, errorCodes.connectionLoss) || attempt >= this.#init.maxRetries || this.#closed) throw error;
      }
    }
  }

  #whenConnected(): Promise<ZooKeeperConnection> {
    if (this.#closed) return Promise.reject(new ZooKeeperError(errorCodes.connectionLoss, ""));
    if (this.#connection !== undefined && this.#established) return Promise.resolve(this.#connection);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async #connect(): Promise<void> {
    const { env, servers, connectionTimeoutMs } = this.#init;
    const { host, port } = servers[this.#nextServer++ % servers.length]!;
    this.#attempts++;
    try {
      const connection = await this.#reach(host, port, connectionTimeoutMs);
      if (this.#closed) return connection.close();
      this.#connection = new ZooKeeperConnection(env, connection, {
        onSession: (session) => this.#onSession(session),
        onExpired: () => this.#onExpired(),
        onWatch: (_type, path) => this.#fire((watch) => watch.path === path),
        onClosed: (error) => this.#onClosed(`${host}:${port}`, error),
      }, this.#session, this.#lastZxid, connectionTimeoutMs);
    } catch (error) {
      this.#onClosed(`${host}:${port}`, error as Error);
    }
  }

  #reach(host: string, port: number, timeoutMs: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      let late = false;
      const timer = this.#init.env.clock.setTimer(timeoutMs, () => {
        late = true;
        reject(new Error(`no connection within ${timeoutMs} ms`));
      });
      this.#init.env.net.connect(host, port).then((connection) => {
        timer.cancel();
        if (late) connection.close();
        else resolve(connection);
      }, (error: unknown) => {
        timer.cancel();
        reject(error);
      });
    });
  }

  #onSession(session: SessionId): void {
    const fresh = session.id !== this.#session.id;
    const connection = this.#connection!;
    this.#session = session;
    this.#attempts = 0;
    this.#lastProblem = "";
    const { auth } = this.#init;
    if (auth !== undefined) {
      const login = (writer: JuteWriter): JuteWriter => writer.int(0).string("digest").string(auth.reveal());
      connection.request(opCodes.auth, "", login, xids.auth).catch((error: unknown) => this.#tell(`login failed: ${(error as Error).message}`));
    }
    this.#established = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve(connection);
    this.#later(() => this.#listener.connected(fresh));
  }

  #onExpired(): void {
    this.#session = noSession(this.#init.sessionTimeoutMs);
    this.#lastZxid = 0n;
    this.#attempts = 0;
    this.#later(() => this.#listener.expired());
  }

  #onClosed(server: string, error: Error | undefined): void {
    const wasEstablished = this.#established;
    if (this.#connection !== undefined && this.#session.id !== 0n) this.#lastZxid = this.#connection.lastZxid;
    this.#established = false;
    this.#connection = undefined;
    if (this.#closed) return;
    if (wasEstablished) {
      this.#later(() => this.#listener.suspended());
      this.#fire(() => true);
    }
    if (error !== undefined) this.#tell(`${server}: ${error.message}`);
    const { servers, retryWaitMs, env } = this.#init;
    // Each server once without delay, then a pause that keeps a crowd of clients from coming back at the same moment.
    const waitMs = this.#attempts < servers.length ? 0 : Math.min(retryWaitMs, 50 * 2 ** Math.min(10, this.#attempts)) * (0.5 + env.rng.next() / 2);
    this.#retry = env.clock.setTimer(waitMs, () => void this.#connect());
  }

  #fire(which: (watch: { readonly path: string }) => boolean): void {
    const fired = this.#watches.filter(which);
    this.#watches = this.#watches.filter((watch) => !fired.includes(watch));
    for (const { changed } of fired) this.#later(changed);
  }

  #later(action: () => void): void {
    this.#init.env.clock.yieldThen(() => this.#closed || action());
  }

  #tell(problem: string): void {
    if (problem !== this.#lastProblem) this.#init.env.log.write("warn", `ZooKeeper ${problem}`);
    this.#lastProblem = problem;
  }
}
