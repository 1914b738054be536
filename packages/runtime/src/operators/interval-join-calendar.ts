/** Keys to clean up, with their hashes. */
export interface CalendarBucket {
  readonly keys: unknown[];
  readonly hashes: number[];
}

/**
 * When an operator has to look at which keys: buckets of keys by due time, each `widthMs` wide.
 *
 * It is no state: who uses it builds it again from its state after a restore. A key may be in several buckets; which one counts its owner knows.
 */
export class CleanUpCalendar {
  readonly widthMs: number;
  /** End of the first bucket, `Infinity` without any. A bucket holds what is due after its begin and up to its end. */
  firstMs = Infinity;
  /** Ends of the buckets: a binary heap. */
  private readonly ends: number[] = [];
  private readonly buckets: Map<number, CalendarBucket> = new Map();

  constructor(widthMs: number) {
    this.widthMs = widthMs;
  }

  /** End of the bucket that a time is in. */
  bucketOf(dueMs: number): number {
    return Math.ceil(dueMs / this.widthMs) * this.widthMs;
  }

  /** Enters a key; returns the end of its bucket. */
  add(dueMs: number, key: unknown, hash: number): number {
    const endMs = this.bucketOf(dueMs);
    let bucket = this.buckets.get(endMs);
    if (bucket === undefined) {
      bucket = { keys: [], hashes: [] };
      this.buckets.set(endMs, bucket);
      this.enter(endMs);
    }
    bucket.keys.push(key);
    bucket.hashes.push(hash);
    return endMs;
  }

  /** The bucket that ends at {@link firstMs}, of which there is one. */
  first(): CalendarBucket {
    return this.buckets.get(this.firstMs)!;
  }

  dropFirst(): void {
    const { ends } = this;
    this.buckets.delete(this.firstMs);
    const last = ends.pop()!;
    if (ends.length > 0) this.siftDown(last);
    this.firstMs = ends.length === 0 ? Infinity : ends[0]!;
  }

  private enter(endMs: number): void {
    const { ends } = this;
    let place = ends.length;
    for (let parent = (place - 1) >> 1; place > 0 && ends[parent]! > endMs; parent = (place - 1) >> 1) {
      ends[place] = ends[parent]!;
      place = parent;
    }
    ends[place] = endMs;
    this.firstMs = ends[0]!;
  }

  private siftDown(endMs: number): void {
    const { ends } = this;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= ends.length) break;
      if (child + 1 < ends.length && ends[child + 1]! < ends[child]!) child++;
      if (ends[child]! >= endMs) break;
      ends[place] = ends[child]!;
      place = child;
    }
    ends[place] = endMs;
  }
}
