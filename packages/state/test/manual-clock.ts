import type { Cancellable, Clock } from "@millrace/core";

/** A clock that stands still until it is told otherwise; every reading of the monotonic one is `tickMs` later. */
export class ManualClock implements Clock {
  now = 1_000_000;
  monotonic = 0;
  tickMs = 1;

  nowMs(): number {
    return this.now;
  }

  monotonicMs(): number {
    return (this.monotonic += this.tickMs);
  }

  setTimer(): Cancellable {
    throw new Error("not used by state");
  }

  yieldThen(): void {
    throw new Error("not used by state");
  }
}
