/** A timer that can be taken back. Cancelling twice, or after it fired, does nothing. */
export interface Cancellable {
  cancel(): void;
}

/** Time, and the only way to wait for it. */
export interface Clock {
  /** Wall-clock time: integer milliseconds since the epoch. May jump. */
  nowMs(): number;
  /** A monotonic reading in fractional milliseconds, for measuring and budgets. */
  monotonicMs(): number;
  /** Calls `action` once, not before `delayMs` have passed. */
  setTimer(delayMs: number, action: () => void): Cancellable;
  /** Calls `action` after everything already pending (messages, I/O) had its turn: how a busy loop yields. */
  yieldThen(action: () => void): void;
}
