const PAGE_SHIFT = 12;
const PAGE_MASK = (1 << PAGE_SHIFT) - 1;

/** Start and end of the one session of a key, by position in the slice of all keys: NaN where a key has none, or more than one. Grows by pages. */
export class SessionSpans {
  private readonly pages: Float64Array[] = [];
  /** Keeps reads that only fill the cache from being optimised away. */
  touched = 0;

  /** Makes positions below `size` valid. */
  reach(size: number): void {
    while (this.pages.length << PAGE_SHIFT < size) this.pages.push(new Float64Array(2 << PAGE_SHIFT).fill(NaN));
  }

  start(position: number): number {
    return this.pages[position >>> PAGE_SHIFT]![(position & PAGE_MASK) << 1]!;
  }

  end(position: number): number {
    return this.pages[position >>> PAGE_SHIFT]![((position & PAGE_MASK) << 1) + 1]!;
  }

  set(position: number, startMs: number, endMs: number): void {
    const page = this.pages[position >>> PAGE_SHIFT]!;
    const at = (position & PAGE_MASK) << 1;
    page[at] = startMs;
    page[at + 1] = endMs;
  }

  clear(position: number): void {
    this.set(position, NaN, NaN);
  }

  /** Reads the first `count` of `positions`, so that they are in the processor's cache. */
  touch(positions: Int32Array, count: number): void {
    let sum = 0;
    const { pages } = this;
    for (let i = 0; i < count; i++) {
      const position = positions[i]!;
      sum += pages[position >>> PAGE_SHIFT]![(position & PAGE_MASK) << 1]!;
    }
    this.touched = sum;
  }
}
