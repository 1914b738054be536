import type { Cancellable, Clock } from "@millrace/core";

interface Timer {
  readonly atMs: number;
  readonly sequence: number;
  readonly action: () => void;
  cancelled: boolean;
}

/**
 * A clock that stands still until it is told to move. Timers fire in order of time, then of registration; yielded actions run one round at a time.
 */
export class VirtualClock implements Clock {
  readonly #startMs: number;
  #nowMs: number;
  #sequence = 0;
  /** Sorted, soonest last. */
  #timers: Timer[] = [];
  #yielded: (() => void)[] = [];

  constructor(startMs: number = 0) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  setTimer(delayMs: number, action: () => void): Cancellable {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)), sequence: this.#sequence++, action, cancelled: false };
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#timers[middle]!;
      if (other.atMs > timer.atMs || (other.atMs === timer.atMs && other.sequence > timer.sequence)) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return { cancel: () => void (timer.cancelled = true) };
  }

  yieldThen(action: () => void): void {
    this.#yielded.push(action);
  }

  /** Runs what has been yielded so far; false when there was nothing. */
  runYielded(): boolean {
    const round = this.#yielded;
    this.#yielded = [];
    for (const action of round) action();
    return round.length > 0;
  }

  /** When the next timer is due; `undefined` when there is none. */
  get nextTimerMs(): number | undefined {
    this.#dropCancelled();
    return this.#timers.at(-1)?.atMs;
  }

  /** Moves to the next timer, if it is due by `limitMs`, and fires it. */
  fireNext(limitMs: number = Number.POSITIVE_INFINITY): boolean {
    this.#dropCancelled();
    const timer = this.#timers.at(-1);
    if (timer === undefined || timer.atMs > limitMs) return false;
    this.#timers.pop();
    this.#nowMs = Math.max(this.#nowMs, timer.atMs);
    timer.action();
    return true;
  }

  /** Moves time forward without firing anything. Never back. */
  moveTo(timeMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, timeMs);
  }

  #dropCancelled(): void {
    while (this.#timers.at(-1)?.cancelled === true) this.#timers.pop();
  }
}
