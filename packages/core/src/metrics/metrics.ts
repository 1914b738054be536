/** A count that goes up (and, for queue sizes, down). */
export interface Counter {
  inc(by?: number): void;
  dec(by?: number): void;
  readonly count: number;
}

/** A value read when somebody asks. */
export interface Gauge<T = unknown> {
  readonly value: T;
}

/** A rate: events a second over the last minute. */
export interface Meter {
  markEvent(by?: number): void;
  readonly rate: number;
  readonly count: number;
}

/** A distribution over the last values it saw. */
export interface Histogram {
  update(value: number): void;
  readonly count: number;
  /** The value below which the share `q` (0 to 1) of the recent values lies; `NaN` when there are none. */
  quantile(q: number): number;
}

/**
 * A named place to register metrics in; groups nest, and names follow Flink's.
 *
 * Registering a name twice returns the metric that is already there. Only use it from the thread of the task that owns it.
 */
export interface MetricGroup {
  counter(name: string): Counter;
  gauge<T>(name: string, read: () => T): Gauge<T>;
  meter(name: string): Meter;
  histogram(name: string): Histogram;
  addGroup(name: string, value?: string): MetricGroup;
}
