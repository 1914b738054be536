import { performance } from "node:perf_hooks";
import type { Cancellable, Clock } from "@millrace/core";

/** Node treats a longer delay as one millisecond. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * The machine's clock and the event loop's timers. A pending timer keeps the thread alive.
 *
 * `yieldThen` is `setImmediate`: it runs after one poll of the event loop, in which sockets and message ports deliver what has come.
 * A message to oneself would be cheaper, but a port hands out up to a thousand messages before the loop polls anything else.
 */
export class NodeClock implements Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  setTimer(delayMs: number, action: () => void): Cancellable {
    return new NodeTimer(performance.now() + Math.max(0, delayMs), action);
  }

  yieldThen(action: () => void): void {
    setImmediate(action);
  }
}

class NodeTimer implements Cancellable {
  readonly #dueMs: number;
  readonly #action: () => void;
  #timeout: NodeJS.Timeout;

  constructor(dueMs: number, action: () => void) {
    this.#dueMs = dueMs;
    this.#action = action;
    this.#timeout = this.#arm(dueMs - performance.now());
  }

  #arm(remainingMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      // Node rounds, and fires up to a millisecond early; long delays come in legs.
      const leftMs = this.#dueMs - performance.now();
      if (leftMs > 0) this.#timeout = this.#arm(leftMs);
      else this.#action();
    }, Math.min(Math.ceil(remainingMs), LONGEST_TIMEOUT_MS));
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }
}
