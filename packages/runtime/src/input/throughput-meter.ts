/**
 * Bytes per second that a task takes from its inputs while there is something to take. Flink: ThroughputCalculator.
 *
 * Time in which nothing waits is left out, so that a task that idles half of the time has the throughput that it could have. Waiting for room in an output, for
 * an external system or for the slot's thread counts: with that the task is as slow as it is. All times are of one monotonic clock.
 */
export class ThroughputMeter {
  #bytesPerSecond: number | undefined;
  /** Since when something waits; `undefined` while nothing does, and before the task runs. */
  #activeSinceMs: number | undefined;
  #activeMs = 0;
  #lastTotal = 0;

  /** Something waits. Does nothing when it did already. */
  activeFrom(nowMs: number): void {
    this.#activeSinceMs ??= nowMs;
  }

  /** Nothing waits any more. */
  idleFrom(nowMs: number): void {
    this.#settle(nowMs);
    this.#activeSinceMs = undefined;
  }

  /**
   * Closes a measurement; the next begins.
   * @param totalBytes taken since the beginning
   * @returns bytes per second; as before when there was nothing to take; `undefined` when there never was
   */
  measure(totalBytes: number, nowMs: number): number | undefined {
    this.#settle(nowMs);
    if (this.#activeMs > 0) this.#bytesPerSecond = Math.max(0, ((totalBytes - this.#lastTotal) * 1000) / this.#activeMs);
    this.#begin(totalBytes);
    return this.#bytesPerSecond;
  }

  /** Forgets what has been since the last measurement; the next begins. */
  skip(totalBytes: number, nowMs: number): void {
    this.#settle(nowMs);
    this.#begin(totalBytes);
  }

  #begin(totalBytes: number): void {
    this.#activeMs = 0;
    this.#lastTotal = totalBytes;
  }

  #settle(nowMs: number): void {
    if (this.#activeSinceMs === undefined) return;
    this.#activeMs += nowMs - this.#activeSinceMs;
    this.#activeSinceMs = nowMs;
  }
}
