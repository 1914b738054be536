import type { Clock, MessagePortLike } from "@millrace/core";

/** Two connected ends of a port within one thread: what is posted is there in a later turn, in order; buffers are transferred as between threads. */
export function portPair(clock: Pick<Clock, "yieldThen">): [MessagePortLike, MessagePortLike] {
  const [a, b] = [new InThreadPort(clock), new InThreadPort(clock)];
  a.peer = b;
  b.peer = a;
  return [a, b];
}

class InThreadPort implements MessagePortLike {
  onWake: (() => void) | undefined = undefined;
  peer!: InThreadPort;
  readonly #clock: Pick<Clock, "yieldThen">;
  #received: unknown[] = [];
  #closed = false;

  constructor(clock: Pick<Clock, "yieldThen">) {
    this.#clock = clock;
  }

  post(message: unknown, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#closed) return;
    const sent = structuredClone(message, { transfer: [...transfer] });
    this.#clock.yieldThen(() => this.peer.#arrived(sent));
  }

  receive(): unknown {
    return this.#received.shift();
  }

  close(): void {
    this.#closed = true;
    this.#received = [];
  }

  #arrived(message: unknown): void {
    if (this.#closed) return;
    this.#received.push(message);
    if (this.#received.length === 1) this.onWake?.();
  }
}
