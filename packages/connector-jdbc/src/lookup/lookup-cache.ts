interface Entry<V> {
  readonly value: V;
  readonly rows: number;
  readonly writtenMs: number;
}

/** What was found for keys, missing ones included: the least recently used goes when there are too many rows, and each after its time. */
export class LookupCache<V> {
  readonly #maxRows: number;
  readonly #ttlMs: number;
  readonly #nowMs: () => number;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry<V>>();
  #rows: number = 0;

  /** @param ttlMs since it was loaded; 0 for ever */
  constructor(maxRows: number, ttlMs: number, nowMs: () => number) {
    this.#maxRows = maxRows;
    this.#ttlMs = ttlMs;
    this.#nowMs = nowMs;
  }

  /** Rows in it; a missing key counts as one. */
  get rows(): number {
    return this.#rows;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (this.#ttlMs > 0 && this.#nowMs() - entry.writtenMs >= this.#ttlMs) {
      this.#rows -= entry.rows;
      return undefined;
    }
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: V, rowCount: number): void {
    const rows = Math.max(1, rowCount);
    const before = this.#entries.get(key);
    if (before !== undefined) {
      this.#entries.delete(key);
      this.#rows -= before.rows;
    }
    if (rows > this.#maxRows) return;
    this.#entries.set(key, { value, rows, writtenMs: this.#nowMs() });
    this.#rows += rows;
    for (const [oldest, entry] of this.#entries) {
      if (this.#rows <= this.#maxRows) break;
      this.#entries.delete(oldest);
      this.#rows -= entry.rows;
    }
  }
}
