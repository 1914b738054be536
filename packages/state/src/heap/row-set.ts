import { PAGE_WORDS } from "./paged.js";

/** A growing set of rows, one bit for each. */
export class RowSet {
  /** 32 rows each; rows beyond the end are not in the set. */
  words: Int32Array;

  constructor(words: Int32Array = new Int32Array(PAGE_WORDS)) {
    this.words = words;
  }

  add(row: number): void {
    this.reach((row >>> 5) + 1);
    this.words[row >>> 5]! |= 1 << row;
  }

  /** Adds all rows of a page. */
  addPage(page: number): void {
    const end = (page + 1) * PAGE_WORDS;
    this.reach(end);
    this.words.fill(-1, end - PAGE_WORDS, end);
  }

  addAll(other: RowSet): void {
    const added = other.words;
    this.reach(added.length);
    const { words } = this;
    for (let i = 0; i < added.length; i++) words[i]! |= added[i]!;
  }

  has(row: number): boolean {
    return row >>> 5 < this.words.length && (this.words[row >>> 5]! & (1 << row)) !== 0;
  }

  /** How many rows of a page are in the set. */
  countOf(page: number): number {
    const { words } = this;
    const end = Math.min((page + 1) * PAGE_WORDS, words.length);
    let rows = 0;
    for (let i = page * PAGE_WORDS; i < end; i++) rows += bitsOf(words[i]!);
    return rows;
  }

  /** How many rows are in the set. */
  count(): number {
    let rows = 0;
    for (let page = 0; page < this.pageCount; page++) rows += this.countOf(page);
    return rows;
  }

  get pageCount(): number {
    return Math.ceil(this.words.length / PAGE_WORDS);
  }

  private reach(words: number): void {
    if (words <= this.words.length) return;
    const pages = Math.ceil(Math.max(words, 2 * this.words.length) / PAGE_WORDS);
    const grown = new Int32Array(pages * PAGE_WORDS);
    grown.set(this.words);
    this.words = grown;
  }
}

function bitsOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
