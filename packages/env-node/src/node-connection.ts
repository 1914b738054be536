import type { Socket } from "node:net";
import { MillraceError, type Connection, type ConnectionPeer } from "@millrace/core";
import type { DirectReads } from "./direct-reads.js";

/** As much as this leaves at once, so that the other side has something to do meanwhile. */
const GATHERED_BYTES = 1 << 17;

/**
 * A TCP, TLS or Unix domain connection. Nothing that arrives before `onData` is set, or ends before `onClose` is set, is lost.
 *
 * Writes of one turn leave in one system call, which costs more than copying some kilobytes. Bytes given to `write` must stay unchanged until they are sent.
 */
export class NodeConnection implements Connection {
  readonly peer: ConnectionPeer;
  readonly #socket: Socket;
  #onData: ((bytes: Uint8Array) => void) | undefined;
  #onClose: ((error?: Error) => void) | undefined;
  #paused = false;
  #error: Error | undefined;
  #closed = false;
  #closing = false;
  /** Bytes written since the socket was corked; 0 when it is not. */
  #gathered = 0;

  readonly #reads: DirectReads | undefined;

  /**
   * @param peer who is there, as TLS has found out; otherwise only the address is known
   * @param reads with which the socket was made, if it can
   */
  constructor(socket: Socket, peer: ConnectionPeer = { address: addressOf(socket) }, reads?: DirectReads) {
    this.peer = peer;
    this.#socket = socket;
    this.#reads = reads;
    socket.pause();
    if (reads === undefined) {
      socket.on("data", (chunk: Buffer) => {
        if (!this.#closing) this.#onData?.(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      });
    } else {
      reads.take = (bytes) => {
        if (!this.#closing) this.#onData?.(reads.into === undefined ? bytes.slice() : bytes);
      };
    }
    // Listening for data starts the flow; it must wait for somebody to take it.
    socket.pause();
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("close", () => {
      this.#closed = true;
      this.#reportClosed();
    });
  }

  get onData(): ((bytes: Uint8Array) => void) | undefined {
    return this.#onData;
  }

  set onData(take: ((bytes: Uint8Array) => void) | undefined) {
    this.#onData = take;
    this.#flow();
  }

  /** Without effect where each read has a buffer of its own, as with TLS. */
  get readInto(): (() => Uint8Array | undefined) | undefined {
    return this.#reads?.into;
  }

  set readInto(name: (() => Uint8Array | undefined) | undefined) {
    if (this.#reads !== undefined) this.#reads.into = name;
  }

  get onClose(): ((error?: Error) => void) | undefined {
    return this.#onClose;
  }

  set onClose(report: ((error?: Error) => void) | undefined) {
    this.#onClose = report;
    if (this.#closed) queueMicrotask(() => this.#reportClosed());
  }

  #reportClosed(): void {
    const report = this.#onClose;
    this.#onClose = undefined;
    report?.(this.#error);
  }

  #flow(): void {
    if (this.#onData === undefined || this.#paused) this.#socket.pause();
    else this.#socket.resume();
  }

  write(bytes: Uint8Array, sent?: () => void): boolean {
    if (this.#closed || this.#closing) return false;
    if (this.#gathered === 0) {
      this.#socket.cork();
      queueMicrotask(this.#flushLater);
    }
    // One more, so that no bytes count, too.
    this.#gathered += bytes.length + 1;
    const more = this.#socket.write(bytes, sent === undefined ? undefined : (error) => {
      if (error === undefined || error === null) sent();
    });
    if (this.#gathered >= GATHERED_BYTES) this.flush();
    return more;
  }

  flush(): void {
    if (this.#gathered === 0) return;
    this.#gathered = 0;
    this.#socket.uncork();
  }

  readonly #flushLater = (): void => this.flush();

  /** Resolves when the caller may write again; `CONNECTION_CLOSED` when that will never be. */
  drained(): Promise<void> {
    if (this.#closed || this.#closing) return Promise.reject(closedError(this.#error));
    if (!this.#socket.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onDrain = (): void => {
        this.#socket.off("close", onClose);
        resolve();
      };
      const onClose = (): void => {
        this.#socket.off("drain", onDrain);
        reject(closedError(this.#error));
      };
      this.#socket.once("drain", onDrain);
      this.#socket.once("close", onClose);
    });
  }

  pause(): void {
    this.#paused = true;
    this.#flow();
  }

  resume(): void {
    this.#paused = false;
    this.#flow();
  }

  /** Sends what was written, then closes; nothing more is received. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket.destroySoon();
  }

  abort(): void {
    this.#closing = true;
    this.#socket.destroy();
  }
}

/** Where a socket's other side is, to be shown. A Unix domain socket's has no address. */
export function addressOf({ remoteAddress, remotePort }: Socket): string {
  if (remoteAddress === undefined) return "this machine";
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}

function closedError(cause: Error | undefined): MillraceError {
  return new MillraceError({
    code: "CONNECTION_CLOSED", message: "the connection was closed", recovery: "restart", ...(cause === undefined ? {} : { cause }),
  });
}
