import type { Clock, Counter, Gauge, Histogram, Meter, MetricGroup } from "@millrace/core";

class SimpleCounter implements Counter {
  count = 0;
  inc(by = 1): void {
    this.count += by;
  }
  dec(by = 1): void {
    this.count -= by;
  }
}

const METER_WINDOW_MS = 60_000;

/** Rate over the last minute, from samples taken at most once a second. */
class WindowMeter implements Meter {
  count = 0;
  readonly #clock: Clock;
  readonly #samples: { readonly atMs: number; readonly count: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#samples.push({ atMs: clock.monotonicMs(), count: 0 });
  }
  markEvent(by = 1): void {
    this.count += by;
  }
  get rate(): number {
    const now = this.#clock.monotonicMs();
    while (this.#samples.length > 1 && now - this.#samples[1]!.atMs >= METER_WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0]!;
    if (now - this.#samples[this.#samples.length - 1]!.atMs >= 1000) this.#samples.push({ atMs: now, count: this.count });
    const seconds = (now - first.atMs) / 1000;
    return seconds <= 0 ? 0 : (this.count - first.count) / seconds;
  }
}

const HISTOGRAM_SIZE = 1024;

/** Figures of a histogram behind its name, as Flink's metric queries call them; each with the share of values below it. */
const quantiles = [["_median", 0.5], ["_p75", 0.75], ["_p90", 0.9], ["_p95", 0.95], ["_p98", 0.98], ["_p99", 0.99], ["_p999", 0.999]] as const;

/** Keeps the last values it saw. */
class RingHistogram implements Histogram {
  count = 0;
  readonly #values = new Float64Array(HISTOGRAM_SIZE);

  update(value: number): void {
    this.#values[this.count++ % HISTOGRAM_SIZE] = value;
  }

  quantile(q: number): number {
    return at(this.#sorted(), q);
  }

  /** All that is told of it; without values all but the count are `NaN`. */
  read(name: string, into: Record<string, number>): void {
    const sorted = this.#sorted();
    const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
    const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    into[`${name}_count`] = this.count;
    into[`${name}_min`] = at(sorted, 0);
    into[`${name}_max`] = at(sorted, 1);
    into[`${name}_mean`] = mean;
    // Of a sample, as Flink's; of one value it is 0.
    into[`${name}_stddev`] = sorted.length === 0 ? Number.NaN : Math.sqrt(squares / Math.max(1, sorted.length - 1));
    for (const [figure, q] of quantiles) into[name + figure] = at(sorted, q);
  }

  #sorted(): Float64Array {
    return this.#values.slice(0, Math.min(this.count, HISTOGRAM_SIZE)).sort();
  }
}

function at(sorted: Float64Array, q: number): number {
  return sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

type Metric = Counter | Gauge | Meter | RingHistogram;

/** All metrics of one task by full name (groups joined with dots), read as numbers. */
export class MetricRegistry {
  readonly #clock: Clock;
  readonly #metrics = new Map<string, Metric>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  group(...scope: string[]): MetricGroup {
    return new ScopedGroup(this, this.#clock, scope);
  }

  /** The metric of that name, made when missing. */
  register<M extends Metric>(name: string, make: () => M): M {
    let metric = this.#metrics.get(name);
    if (metric === undefined) this.#metrics.set(name, (metric = make()));
    return metric as M;
  }

  /** Every metric whose value is a number; histograms as their figures. */
  read(into: Record<string, number>): void {
    for (const [name, metric] of this.#metrics) {
      if ("quantile" in metric) {
        metric.read(name, into);
      } else if ("rate" in metric) {
        into[name] = metric.rate;
      } else {
        const value = "count" in metric ? metric.count : metric.value;
        if (typeof value === "number") into[name] = value;
      }
    }
  }
}

class ScopedGroup implements MetricGroup {
  readonly #registry: MetricRegistry;
  readonly #clock: Clock;
  readonly #scope: readonly string[];

  constructor(registry: MetricRegistry, clock: Clock, scope: readonly string[]) {
    this.#registry = registry;
    this.#clock = clock;
    this.#scope = scope;
  }
  counter(name: string): Counter {
    return this.#registry.register(this.#name(name), () => new SimpleCounter());
  }
  gauge<T>(name: string, read: () => T): Gauge<T> {
    return this.#registry.register(this.#name(name), () => ({
      get value(): T {
        return read();
      },
    })) as Gauge<T>;
  }
  meter(name: string): Meter {
    return this.#registry.register(this.#name(name), () => new WindowMeter(this.#clock));
  }
  histogram(name: string): Histogram {
    return this.#registry.register(this.#name(name), () => new RingHistogram());
  }
  addGroup(name: string, value?: string): MetricGroup {
    return new ScopedGroup(this.#registry, this.#clock, [...this.#scope, name, ...(value === undefined ? [] : [value])]);
  }
  #name(name: string): string {
    return [...this.#scope, name].join(".");
  }
}
