import type { Cancellable, Clock } from "@millrace/core";

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
  cancelled: boolean;
}

/** Virtual time: timers fire in order when nothing else is left to do; every reading of the monotonic clock costs a little, so that budgets run out. */
export class TestClock implements Clock {
  private now = 1_000_000;
  private readings = 0;
  private order = 0;
  private readonly timers: Timer[] = [];
  private yields: (() => void)[] = [];
  readonly costPerReadingMs: number;

  constructor(costPerReadingMs = 0.001) {
    this.costPerReadingMs = costPerReadingMs;
  }
  nowMs(): number {
    return Math.floor(this.now);
  }
  monotonicMs(): number {
    return this.now + ++this.readings * this.costPerReadingMs;
  }
  setTimer(delayMs: number, action: () => void): Cancellable {
    const timer: Timer = { atMs: this.now + Math.max(0, delayMs), order: this.order++, action, cancelled: false };
    this.timers.push(timer);
    return { cancel: () => void (timer.cancelled = true) };
  }
  yieldThen(action: () => void): void {
    this.yields.push(action);
  }
  /** Nothing has been yielded: only time can bring something. */
  get idle(): boolean {
    return this.yields.length === 0;
  }
  get pendingTimers(): number {
    return this.timers.filter((timer) => !timer.cancelled).length;
  }

  /** Runs until `done`, letting promises settle between steps. Throws when there is nothing left that could make it true. */
  async runUntil(done: () => boolean, maxMs = 3_600_000): Promise<void> {
    const end = this.now + maxMs;
    while (!done()) {
      const yields = this.yields;
      this.yields = [];
      for (const action of yields) action();
      // Long enough for chains of promises.
      for (let i = 0; i < 20; i++) await Promise.resolve();
      if (yields.length > 0 || this.yields.length > 0 || done()) continue;
      if (!this.fireNext(end)) throw new Error("nothing is left to do, but the condition does not hold");
    }
  }

  /** Runs some rounds of what has been yielded, without letting time pass. */
  async runRounds(rounds: number): Promise<void> {
    for (let i = 0; i < rounds; i++) {
      const yields = this.yields;
      this.yields = [];
      for (const action of yields) action();
      for (let k = 0; k < 20; k++) await Promise.resolve();
    }
  }

  /** Runs for a while of virtual time. */
  async runFor(ms: number): Promise<void> {
    let over = false;
    this.setTimer(ms, () => void (over = true));
    await this.runUntil(() => over);
  }

  private fireNext(end: number): boolean {
    let next: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.cancelled) continue;
      if (next === undefined || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order)) next = timer;
    }
    if (next === undefined || next.atMs > end) return false;
    this.timers.splice(this.timers.indexOf(next), 1);
    this.now = Math.max(this.now, next.atMs);
    next.action();
    return true;
  }
}
