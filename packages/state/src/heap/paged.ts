import type { RowSet } from "./row-set.js";

/** Rows of a page: growth allocates a page at a time, so that it never copies what is there. */
export const PAGE_SHIFT = 12;
export const PAGE_ROWS: number = 1 << PAGE_SHIFT;
export const PAGE_MASK: number = PAGE_ROWS - 1;
/** Words of 32 bits, one bit for each row of a page. */
export const PAGE_WORDS: number = PAGE_ROWS >>> 5;

/** A growing array of int32 that starts as zeros. */
export class PagedInt32 {
  readonly pages: Int32Array[] = [];

  /** Makes `index` valid; indexes become valid in order. */
  reach(index: number): void {
    if (index >>> PAGE_SHIFT >= this.pages.length) this.pages.push(new Int32Array(PAGE_ROWS));
  }

  get(index: number): number {
    return this.pages[index >>> PAGE_SHIFT]![index & PAGE_MASK]!;
  }

  set(index: number, value: number): void {
    this.pages[index >>> PAGE_SHIFT]![index & PAGE_MASK] = value;
  }
}

/** A growing array of doubles that starts as zeros. */
export class PagedFloat64 {
  readonly pages: Float64Array[] = [];

  /** Makes `index` valid; indexes become valid in order. */
  reach(index: number): void {
    if (index >>> PAGE_SHIFT >= this.pages.length) this.pages.push(new Float64Array(PAGE_ROWS));
  }

  get(index: number): number {
    return this.pages[index >>> PAGE_SHIFT]![index & PAGE_MASK]!;
  }

  set(index: number, value: number): void {
    this.pages[index >>> PAGE_SHIFT]![index & PAGE_MASK] = value;
  }
}

/** A set of integers below a limit, given once. */
export class BitSet {
  private readonly words: Int32Array;

  constructor(limit: number) {
    this.words = new Int32Array((limit + 31) >>> 5);
  }

  has(index: number): boolean {
    return (this.words[index >>> 5]! & (1 << (index & 31))) !== 0;
  }

  /** The bits of 32 indexes. */
  wordOf(index: number): number {
    return this.words[index >>> 5]!;
  }

  /** Adds everything that is not in `kept`. */
  addAllBut(kept: RowSet): void {
    const { words } = this;
    const known = Math.min(words.length, kept.words.length);
    for (let i = 0; i < known; i++) words[i]! |= ~kept.words[i]!;
    words.fill(-1, known);
  }

  add(index: number): void {
    this.words[index >>> 5]! |= 1 << (index & 31);
  }
}
