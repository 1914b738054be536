/** Turns a running count into a rate, from one report to the next. */
export class RateOfReports {
  #lastCount = 0;
  #lastMs: number;
  #rate = 0;

  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  perSecond(count: number, nowMs: number): number {
    const elapsedMs = nowMs - this.#lastMs;
    if (elapsedMs <= 0) return this.#rate;
    this.#rate = ((count - this.#lastCount) * 1000) / elapsedMs;
    this.#lastCount = count;
    this.#lastMs = nowMs;
    return this.#rate;
  }
}

/** Where a task's time goes. Flink: busyTimeMsPerSecond and its siblings. */
export class TimeAccounts {
  busyMs = 0;
  backpressuredMs = 0;
  readonly recordsIn: RateOfReports;
  readonly recordsOut: RateOfReports;
  readonly #startedMs: number;
  #backpressuredSinceMs: number | undefined;
  #last: { atMs: number; busyMs: number; backpressuredMs: number };

  constructor(nowMs: number) {
    this.#startedMs = nowMs;
    this.#last = { atMs: nowMs, busyMs: 0, backpressuredMs: 0 };
    this.recordsIn = new RateOfReports(nowMs);
    this.recordsOut = new RateOfReports(nowMs);
  }

  get isBackpressured(): boolean {
    return this.#backpressuredSinceMs !== undefined;
  }

  /** Milliseconds since the start in which there was nothing to do. */
  idleMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#startedMs - this.busyMs - this.backpressuredMs);
  }

  startBackpressure(nowMs: number): void {
    this.#backpressuredSinceMs ??= nowMs;
  }

  endBackpressure(nowMs: number): void {
    if (this.#backpressuredSinceMs === undefined) return;
    this.backpressuredMs += nowMs - this.#backpressuredSinceMs;
    this.#backpressuredSinceMs = undefined;
  }

  /** Milliseconds that were not spent waiting for room downstream. */
  activeMs(nowMs: number): number {
    return nowMs - this.backpressuredMs - (this.#backpressuredSinceMs === undefined ? 0 : nowMs - this.#backpressuredSinceMs);
  }

  /** Shares of the time since the last report, in milliseconds per second. */
  report(nowMs: number): { readonly busy: number; readonly backPressured: number; readonly idle: number } {
    if (this.#backpressuredSinceMs !== undefined) {
      this.endBackpressure(nowMs);
      this.startBackpressure(nowMs);
    }
    const elapsed = nowMs - this.#last.atMs;
    const share = (ms: number): number => (elapsed <= 0 ? 0 : Math.min(1000, (ms * 1000) / elapsed));
    const busy = share(this.busyMs - this.#last.busyMs);
    const backPressured = Math.min(1000 - busy, share(this.backpressuredMs - this.#last.backpressuredMs));
    this.#last = { atMs: nowMs, busyMs: this.busyMs, backpressuredMs: this.backpressuredMs };
    return { busy, backPressured, idle: Math.max(0, 1000 - busy - backPressured) };
  }
}
