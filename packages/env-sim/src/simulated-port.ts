import type { MessagePortLike } from "@millrace/core";
import type { SimulatedProcess } from "./simulated-process.js";

const DELIVERY_US = 30;

/** A channel between two threads: messages are cloned when they are posted, transferred buffers are gone for the sender, order is kept. */
export function simulatedChannel(a: SimulatedProcess, b: SimulatedProcess): readonly [SimulatedPort, SimulatedPort] {
  const ends = [new SimulatedPort(a), new SimulatedPort(b)] as const;
  ends[0].peer = ends[1];
  ends[1].peer = ends[0];
  return ends;
}

/** One end, owned by one thread. */
export class SimulatedPort implements MessagePortLike {
  onWake: (() => void) | undefined = undefined;
  peer!: SimulatedPort;
  readonly #owner: SimulatedProcess;
  #queue: unknown[] = [];
  #woken = false;
  #closed = false;

  constructor(owner: SimulatedProcess) {
    this.#owner = owner;
  }

  post(message: unknown, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#closed || this.peer.#closed) return;
    const cloned: unknown = structuredClone(message, { transfer: [...transfer] });
    const { peer } = this;
    peer.#owner.later(DELIVERY_US, () => peer.#receive(cloned));
  }

  receive(): unknown {
    const message = this.#queue.shift();
    if (message === undefined) this.#woken = false;
    return message;
  }

  close(): void {
    this.#closed = true;
    this.onWake = undefined;
    this.#queue = [];
  }

  #receive(message: unknown): void {
    if (this.#closed) return;
    this.#queue.push(message);
    if (this.#woken) return;
    this.#woken = true;
    this.onWake?.();
  }
}
