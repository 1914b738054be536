import { NO_TIMESTAMP, type Collector, type Output } from "@millrace/core";

/** The collector an operator hands to its user function: emits at the time it was last pointed at, unless told otherwise. */
export class TimestampedCollector<T = unknown> implements Collector<T> {
  private out: Output<T> | undefined = undefined;
  private timestampMs: number = NO_TIMESTAMP;

  at(timestampMs: number, out: Output<T>): this {
    this.timestampMs = timestampMs;
    this.out = out;
    return this;
  }

  collect(value: T, timestampMs?: number): void {
    this.out!.collect(value, timestampMs === undefined ? this.timestampMs : timestampMs);
  }
}
