/** A value that each subtask adds to and the job result holds merged. Flink: Accumulator. */
export interface Accumulator<V, R> {
  add(value: V): void;
  readonly localValue: R;
  merge(other: R): void;
}

/** Counts and sums. */
export class SumCounter implements Accumulator<number, number> {
  localValue = 0;
  add(value = 1): void {
    this.localValue += value;
  }
  merge(other: number): void {
    this.localValue += other;
  }
}

/** The smallest value seen; `Infinity` before the first. */
export class Minimum implements Accumulator<number, number> {
  localValue: number = Number.POSITIVE_INFINITY;
  add(value: number): void {
    if (value < this.localValue) this.localValue = value;
  }
  merge(other: number): void {
    this.add(other);
  }
}

/** The largest value seen; `-Infinity` before the first. */
export class Maximum implements Accumulator<number, number> {
  localValue: number = Number.NEGATIVE_INFINITY;
  add(value: number): void {
    if (value > this.localValue) this.localValue = value;
  }
  merge(other: number): void {
    this.add(other);
  }
}

/** Mean of all values; the local value keeps sum and count so that it can be merged. */
export class Average implements Accumulator<number, { readonly sum: number; readonly count: number }> {
  localValue: { sum: number; count: number } = { sum: 0, count: 0 };
  add(value: number): void {
    this.localValue = { sum: this.localValue.sum + value, count: this.localValue.count + 1 };
  }
  merge(other: { readonly sum: number; readonly count: number }): void {
    this.localValue = { sum: this.localValue.sum + other.sum, count: this.localValue.count + other.count };
  }
}

/** How often each integer value occurred. */
export class CountHistogram implements Accumulator<number, ReadonlyMap<number, number>> {
  localValue: Map<number, number> = new Map();
  add(value: number): void {
    this.localValue.set(value, (this.localValue.get(value) ?? 0) + 1);
  }
  merge(other: ReadonlyMap<number, number>): void {
    for (const [value, count] of other) this.localValue.set(value, (this.localValue.get(value) ?? 0) + count);
  }
}

/** All values, in no particular order across subtasks. */
export class ListAccumulator<T> implements Accumulator<T, readonly T[]> {
  localValue: T[] = [];
  add(value: T): void {
    this.localValue.push(value);
  }
  merge(other: readonly T[]): void {
    for (const value of other) this.localValue.push(value);
  }
}
