import type { Cancellable, Connection, Env } from "@millrace/core";
import { JuteReader, JuteWriter, PacketSplitter, protocolError } from "./jute.js";
import { errorCodes, opCodes, xids, ZooKeeperError } from "./operations.js";

/** What a session is known by; kept over connections. */
export interface SessionId {
  readonly id: bigint;
  readonly password: Uint8Array;
  readonly timeoutMs: number;
}

export interface ConnectionEvents {
  onSession(session: SessionId): void;
  /** The server no longer knows the session. */
  onExpired(): void;
  onWatch(type: number, path: string): void;
  onClosed(error: Error | undefined): void;
}

interface Request {
  readonly xid: number;
  readonly path: string;
  readonly resolve: (reader: JuteReader) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One TCP connection to one server: handshake, requests in order, pings, and the end.
 *
 * Pings when nothing was sent for a third of the session timeout, and closes when nothing was received for two thirds: a server that is there
 * but silent is left while the session can still be saved elsewhere. One that accepts and does not greet is left after `handshakeMs`: a server
 * that is about to start or to die does that.
 */
export class ZooKeeperConnection {
  readonly #env: Pick<Env, "clock">;
  readonly #connection: Connection;
  readonly #events: ConnectionEvents;
  readonly #splitter = new PacketSplitter();
  readonly #requests: Request[] = [];
  #timeoutMs: number;
  /** How long the server may say nothing. */
  #silenceMs: number;
  #timer: Cancellable | undefined;
  #lastReceivedMs: number;
  #lastSentMs: number;
  #xid = 1;
  #established = false;
  #closed = false;
  /** The newest change this connection has seen. */
  lastZxid = 0n;

  constructor(env: Pick<Env, "clock">, connection: Connection, events: ConnectionEvents, previous: SessionId, lastZxid: bigint, handshakeMs: number) {
    this.#env = env;
    this.#connection = connection;
    this.#events = events;
    this.#timeoutMs = previous.timeoutMs;
    this.#silenceMs = Math.min(handshakeMs, (previous.timeoutMs * 2) / 3);
    this.lastZxid = lastZxid;
    this.#lastReceivedMs = this.#lastSentMs = env.clock.monotonicMs();
    connection.onData = (bytes) => this.#onData(bytes);
    connection.onClose = (error) => this.close(error);
    this.#send(new JuteWriter().int(0).long(lastZxid).int(previous.timeoutMs).long(previous.id).buffer(previous.password));
    this.#tick();
  }

  /** Sends a request; resolves with a reader of the answer's body. @throws `ZooKeeperError` */
  request(opCode: number, path: string, body: (writer: JuteWriter) => void, specialXid?: number): Promise<JuteReader> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new ZooKeeperError(errorCodes.connectionLoss, path));
      const xid = specialXid ?? this.#xid++;
      if (this.#xid > 0x7fff_ff00) this.#xid = 1;
      this.#requests.push({ xid, path, resolve, reject });
      const writer = new JuteWriter().int(xid).int(opCode);
      body(writer);
      this.#send(writer);
    });
  }

  close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#connection.close();
    for (const request of this.#requests.splice(0)) request.reject(new ZooKeeperError(errorCodes.connectionLoss, request.path));
    this.#events.onClosed(error);
  }

  #send(writer: JuteWriter): void {
    this.#lastSentMs = this.#env.clock.monotonicMs();
    this.#connection.write(writer.packet());
  }

  #tick(): void {
    const nowMs = this.#env.clock.monotonicMs();
    if (nowMs - this.#lastReceivedMs >= this.#silenceMs) return this.close(new Error(`silent for ${Math.round(nowMs - this.#lastReceivedMs)} ms`));
    if (this.#established && nowMs - this.#lastSentMs >= this.#timeoutMs / 3) this.#send(new JuteWriter().int(xids.ping).int(opCodes.ping));
    this.#timer = this.#env.clock.setTimer(Math.min(this.#timeoutMs / 12, this.#silenceMs / 4), () => this.#tick());
  }

  #onData(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#lastReceivedMs = this.#env.clock.monotonicMs();
    try {
      for (const packet of this.#splitter.push(bytes)) {
        if (this.#closed) return;
        if (this.#established) this.#onAnswer(new JuteReader(packet));
        else this.#onHandshake(new JuteReader(packet));
      }
    } catch (error) {
      this.close(error as Error);
    }
  }

  #onHandshake(reader: JuteReader): void {
    reader.int();
    const timeoutMs = reader.int();
    const id = reader.long();
    const password = reader.buffer();
    if (timeoutMs <= 0) {
      this.#events.onExpired();
      return this.close();
    }
    this.#established = true;
    this.#timeoutMs = timeoutMs;
    this.#silenceMs = (timeoutMs * 2) / 3;
    this.#events.onSession({ id, password, timeoutMs });
  }

  #onAnswer(reader: JuteReader): void {
    const xid = reader.int();
    const zxid = reader.long();
    const errorCode = reader.int();
    if (xid === xids.ping) return;
    if (xid === xids.notification) {
      const type = reader.int();
      reader.int();
      return this.#events.onWatch(type, reader.string());
    }
    if (zxid > this.lastZxid) this.lastZxid = zxid;
    // Login and the renewal of watches may be answered out of turn.
    const at = xid < 0 ? this.#requests.findIndex((request) => request.xid === xid) : 0;
    const [request] = at < 0 ? [] : this.#requests.splice(at, 1);
    if (request === undefined || request.xid !== xid) throw protocolError(`an answer to ${xid} where one to ${request?.xid ?? "nothing"} was due`);
    if (errorCode === 0) request.resolve(reader);
    else request.reject(new ZooKeeperError(errorCode, request.path));
  }
}
