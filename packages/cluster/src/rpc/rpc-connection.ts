import { MillraceError, deserializeError, isMillraceError, serializeError, type Cancellable, type Clock } from "@millrace/core";
import type { FramedConnection } from "./framed-connection.js";
import { decodeMessage, encodeMessage, type RpcMessage } from "./rpc-message.js";

/** How often a side shows that it lives, and how long the other waits for it. */
export interface HeartbeatSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** What an endpoint does with what it is told. Called in the order of arrival. */
export interface RpcHandler {
  /** What it returns or throws is the answer. */
  request(method: string, body: unknown): unknown;
  tell(method: string, body: unknown): void;
  /** Called once, with why; not when this side closed the connection. */
  lost(error: MillraceError): void;
  /** Something that was told had no effect on the other side. */
  refused?(method: string, error: Error): void;
}

/** The longest name of a method that is quoted back. */
const QUOTED = 60;

/**
 * An established connection between two endpoints: requests with an answer, one-way tells, heartbeats. Order is kept each way.
 *
 * Every request and tell carries the fencing token; one with another token than this connection's has no effect, and is answered with
 * `RPC_FENCING_TOKEN`. When the connection is lost, every open request is rejected with the error that says why.
 */
export class RpcConnection {
  readonly token: string;
  readonly #frames: FramedConnection;
  readonly #clock: Clock;
  readonly #heartbeat: HeartbeatSettings;
  readonly #calls = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void }>();
  #nextId = 1;
  #lastHeardMs: number;
  #timer: Cancellable | undefined;
  #lost: MillraceError | undefined;
  #handler: RpcHandler | undefined;
  /** What came before there was a handler. */
  #early: (() => void)[] = [];

  constructor(frames: FramedConnection, clock: Clock, token: string, heartbeat: HeartbeatSettings) {
    this.#frames = frames;
    this.#clock = clock;
    this.token = token;
    this.#heartbeat = heartbeat;
    this.#lastHeardMs = clock.monotonicMs();
    frames.onFrame = (frame) => this.#receive(frame);
    frames.onClose = (error) => this.#onClosed(error);
    this.#scheduleHeartbeat();
  }

  /** Who takes what comes from the other side; until it is set, that waits. */
  set handler(handler: RpcHandler) {
    this.#handler = handler;
    for (const deliver of this.#early.splice(0)) deliver();
  }

  /** Calls the other side. @throws what the method throws there, or why the connection was lost */
  request<T>(method: string, body: unknown): Promise<T> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const id = this.#nextId++;
    return new Promise<unknown>((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      try {
        this.#send({ kind: "request", id, token: this.token, method, body });
      } catch (error) {
        this.#calls.delete(id);
        reject(error);
      }
    }) as Promise<T>;
  }

  /**
   * Tells the other side; nothing says whether it arrived, unless the connection is lost. @returns false when {@link drained} should be waited for
   * before more is told. @throws `RECORD_NOT_ENCODABLE`, `RPC_FRAME_TOO_LARGE`
   */
  tell(method: string, body: unknown): boolean {
    return this.#lost !== undefined || this.#send({ kind: "tell", token: this.token, method, body });
  }

  /** Resolves when what was sent has left this process, or never will. */
  drained(): Promise<void> {
    return this.#frames.drained().catch(() => undefined);
  }

  close(): void {
    this.#frames.close();
  }

  /** For how long nothing was heard from the other side, in milliseconds. */
  get silentMs(): number {
    return this.#clock.monotonicMs() - this.#lastHeardMs;
  }

  #send(message: RpcMessage): boolean {
    return this.#frames.send(encodeMessage(message));
  }

  #receive(frame: Uint8Array): void {
    this.#lastHeardMs = this.#clock.monotonicMs();
    let message: RpcMessage;
    try {
      message = decodeMessage(frame);
    } catch (error) {
      return this.#frames.close(error as MillraceError);
    }
    // Answers are for this side's own calls.
    const isAnswer = message.kind === "reply" || message.kind === "error" || message.kind === "heartbeat";
    if (this.#handler === undefined && !isAnswer) this.#early.push(() => this.#handle(message));
    else this.#handle(message);
  }

  #handle(message: RpcMessage): void {
    switch (message.kind) {
      case "request": return void this.#answer(message);
      case "reply": return this.#settle(message.id)?.resolve(message.body);
      case "error": return this.#settle(message.id)?.reject(deserializeError(message.error));
      case "tell": return this.#told(message);
      case "refused": return this.#handler!.refused?.(message.method, deserializeError(message.error));
      case "heartbeat":
    }
  }

  /** What is wrong with a message must not get further than back to its sender. */
  #told({ token, method, body }: Extract<RpcMessage, { kind: "tell" }>): void {
    try {
      if (token !== this.token) throw staleToken(method);
      this.#handler!.tell(method, body);
    } catch (error) {
      this.#send({ kind: "refused", method: method.slice(0, QUOTED), error: serializeError(error) });
    }
  }

  async #answer({ id, token, method, body }: Extract<RpcMessage, { kind: "request" }>): Promise<void> {
    let answer: RpcMessage;
    try {
      if (token !== this.token) throw staleToken(method);
      answer = { kind: "reply", id, body: await this.#handler!.request(method, body) };
      this.#send(answer);
    } catch (error) {
      this.#send({ kind: "error", id, error: serializeError(error) });
    }
  }

  #settle(id: number): { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void } | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  #scheduleHeartbeat(): void {
    this.#timer = this.#clock.setTimer(this.#heartbeat.intervalMs, () => {
      const { silentMs } = this;
      if (silentMs > this.#heartbeat.timeoutMs) return this.#frames.abort(heartbeatTimeout(silentMs));
      this.#send({ kind: "heartbeat" });
      this.#scheduleHeartbeat();
    });
  }

  #onClosed(error: MillraceError | undefined): void {
    this.#timer?.cancel();
    this.#lost = error ?? new MillraceError({ code: "RPC_CONNECTION_CLOSED", message: "this side closed the connection", recovery: "restart" });
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const { reject } of calls) reject(this.#lost);
    if (error === undefined) return;
    if (this.#handler === undefined) this.#early.push(() => this.#handler!.lost(error));
    else this.#handler.lost(error);
  }
}

/** For a handler's `request`: the other side asked for something that does not exist. */
export function unknownMethod(method: string): MillraceError {
  return new MillraceError({ code: "RPC_UNKNOWN_METHOD", message: `there is no method "${method.slice(0, QUOTED)}"` });
}

/** Whether an error says that the connection is gone, rather than that the other side refused. */
export function isConnectionLost(error: unknown): boolean {
  return isMillraceError(error) && (error.code === "RPC_CONNECTION_LOST" || error.code === "RPC_CONNECTION_CLOSED" || error.code === "RPC_HEARTBEAT_TIMEOUT");
}

function staleToken(method: string): MillraceError {
  return new MillraceError({
    code: "RPC_FENCING_TOKEN", recovery: "restart", message: `"${method.slice(0, QUOTED)}" came with the fencing token of another leader and has no effect`,
    hint: "the sender has not heard of the current leader yet",
  });
}

function heartbeatTimeout(silentMs: number): MillraceError {
  return new MillraceError({ code: "RPC_HEARTBEAT_TIMEOUT", recovery: "restart", message: `nothing was heard from the other side for ${Math.round(silentMs / 1000)} s` });
}
