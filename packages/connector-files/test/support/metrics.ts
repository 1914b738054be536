import type { Counter, Gauge, Histogram, Meter, MetricGroup } from "@millrace/core";

/** Counters that count; the rest is there in name only. */
export class TestMetrics implements MetricGroup {
  readonly counters = new Map<string, Counter & { count: number }>();
  counter(name: string): Counter {
    let counter = this.counters.get(name);
    if (counter === undefined) {
      const made = { count: 0, inc: (by = 1) => void (made.count += by), dec: (by = 1) => void (made.count -= by) };
      this.counters.set(name, (counter = made));
    }
    return counter;
  }
  gauge<T>(_name: string, read: () => T): Gauge<T> {
    return { get value() { return read(); } };
  }
  meter(): Meter {
    return { markEvent() {}, rate: 0, count: 0 };
  }
  histogram(): Histogram {
    return { update() {}, count: 0, quantile: () => Number.NaN };
  }
  addGroup(): MetricGroup {
    return this;
  }
}
