import { MillraceError, type Connection } from "@millrace/core";
import type { SimulatedNetwork } from "./simulated-network.js";
import type { Death, SimulatedProcess } from "./simulated-process.js";

/** Bytes on their way above which a writer is told to wait. */
const HIGH_WATER_BYTES = 32_768;

/** What travels: bytes, the orderly end, or a reset. */
export type Segment = { readonly kind: "bytes"; readonly bytes: Uint8Array } | { readonly kind: "end" } | { readonly kind: "reset" };

/** One end of a byte connection. Behaves as a socket of Node does: order is kept, nothing is lost without the loss of the connection. */
export class SimulatedConnection implements Connection {
  readonly owner: SimulatedProcess;
  otherEnd!: SimulatedConnection;
  readonly #network: SimulatedNetwork;
  readonly #forgetDeath: () => void;
  #onData: ((bytes: Uint8Array) => void) | undefined;
  #onClose: ((error?: Error) => void) | undefined;
  #inbox: Segment[] = [];
  #paused = false;
  #handing = false;
  /** Nothing is sent any more. */
  #closing = false;
  #closed: { readonly error: Error | undefined } | undefined;
  #unconsumedBytes = 0;
  #draining: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];

  constructor(network: SimulatedNetwork, owner: SimulatedProcess) {
    this.#network = network;
    this.owner = owner;
    this.#forgetDeath = owner.onEnd((death) => this.#ownerDied(death));
  }

  get open(): boolean {
    return this.#closed === undefined && this.owner.alive;
  }

  get onData(): ((bytes: Uint8Array) => void) | undefined {
    return this.#onData;
  }

  set onData(take: ((bytes: Uint8Array) => void) | undefined) {
    this.#onData = take;
    this.#handSoon();
  }

  get onClose(): ((error?: Error) => void) | undefined {
    return this.#onClose;
  }

  set onClose(report: ((error?: Error) => void) | undefined) {
    this.#onClose = report;
    if (this.#closed !== undefined) this.owner.later(0, () => this.#reportClosed());
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closing || this.#closed !== undefined) return false;
    this.#unconsumedBytes += bytes.length;
    this.#network.send(this, { kind: "bytes", bytes: bytes.slice() });
    return this.#unconsumedBytes < HIGH_WATER_BYTES;
  }

  drained(): Promise<void> {
    if (this.#closing || this.#closed !== undefined) return Promise.reject(closedError());
    if (this.#unconsumedBytes < HIGH_WATER_BYTES) return Promise.resolve();
    return new Promise((resolve, reject) => this.#draining.push({ resolve, reject }));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#handSoon();
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#inbox = [];
    this.#network.send(this, { kind: "end" });
    this.owner.later(0, () => this.#end(undefined));
  }

  /** Breaks the connection: the other side hears of it, if the network lets it, and what was on its way is lost. */
  reset(): void {
    if (!this.open) return;
    this.#network.send(this, { kind: "reset" });
    this.owner.run(() => this.#end(new Error("ECONNRESET")));
  }

  /** Called by the network, in the order of sending. */
  arrived(segment: Segment): void {
    if (!this.owner.alive || this.#closed !== undefined) {
      // The machine is back, and knows nothing of this connection.
      if (segment.kind === "bytes" && this.#network.isUp(this.owner.host)) this.#network.send(this, { kind: "reset" });
      return;
    }
    this.owner.run(() => this.#take(segment));
  }

  #take(segment: Segment): void {
    if (segment.kind === "reset") {
      this.#inbox = [];
      this.#end(new Error("ECONNRESET"));
      return;
    }
    if (this.#closing) return;
    this.#inbox.push(segment);
    this.#hand();
  }

  #handSoon(): void {
    if (this.#inbox.length > 0) this.owner.later(0, () => this.#hand());
  }

  #hand(): void {
    if (this.#handing) return;
    this.#handing = true;
    while (this.#inbox.length > 0 && this.#onData !== undefined && !this.#paused && this.#closed === undefined) {
      const segment = this.#inbox.shift()!;
      if (segment.kind === "end") {
        this.#network.send(this, { kind: "end" });
        this.#end(undefined);
      } else if (segment.kind === "bytes") {
        this.otherEnd.#consumed(segment.bytes.length);
        this.#onData(segment.bytes);
      }
    }
    this.#handing = false;
  }

  #consumed(bytes: number): void {
    this.#unconsumedBytes -= bytes;
    if (this.#unconsumedBytes >= HIGH_WATER_BYTES || this.#draining.length === 0) return;
    this.owner.later(0, () => {
      for (const { resolve } of this.#draining.splice(0)) resolve();
    });
  }

  #end(error: Error | undefined): void {
    if (this.#closed !== undefined) return;
    this.#closing = true;
    this.#closed = { error };
    this.#forgetDeath();
    for (const { reject } of this.#draining.splice(0)) reject(closedError());
    this.#reportClosed();
  }

  #reportClosed(): void {
    const report = this.#onClose;
    this.#onClose = undefined;
    report?.(this.#closed!.error);
  }

  /** The operating system closes what a killed process had open; a machine without power says nothing. */
  #ownerDied(death: Death): void {
    if (this.#closed !== undefined) return;
    this.#closed = { error: undefined };
    if (death === "killed" && !this.#closing) this.#network.send(this, this.#inbox.length > 0 ? { kind: "reset" } : { kind: "end" });
  }
}

function closedError(): MillraceError {
  return new MillraceError({ code: "CONNECTION_CLOSED", message: "the connection was closed", recovery: "restart" });
}
