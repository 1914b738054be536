const BUCKET_MS = 0.01;
const BUCKETS = 2_000_000;

/** Counts per bucket of 10 µs, as pairs of bucket and count. */
export type LatencyCounts = readonly (readonly [bucket: number, count: number])[];

/** Latencies up to 20 s in buckets of 10 µs, as the peer keeps them. */
export class LatencyHistogram {
  private readonly counts = new Uint32Array(BUCKETS);

  add(latencyMs: number): void {
    const bucket = Math.min(Math.max(Math.floor(latencyMs / BUCKET_MS), 0), BUCKETS - 1);
    this.counts[bucket] = this.counts[bucket]! + 1;
  }
  addAll(counts: LatencyCounts): void {
    for (const [bucket, count] of counts) this.counts[bucket] = this.counts[bucket]! + count;
  }
  get total(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }
  /** Upper end of the bucket that holds the quantile, in ms; `NaN` without any latency. */
  quantileMs(quantile: number): number {
    const rank = Math.ceil(this.total * quantile);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.counts[bucket]!;
      if (seen >= rank && seen > 0) return (bucket + 1) * BUCKET_MS;
    }
    return Number.NaN;
  }
  toJSON(): LatencyCounts {
    const pairs: [number, number][] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket++) if (this.counts[bucket]! > 0) pairs.push([bucket, this.counts[bucket]!]);
    return pairs;
  }
}
