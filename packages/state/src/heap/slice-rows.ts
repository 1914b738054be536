import { Column } from "./column.js";
import { PAGE_MASK, PAGE_ROWS, PAGE_SHIFT } from "./paged.js";

/*
 * A row is half a cache line: words 0 to 3 the key, 4 and 5 the value as a double, 6 the key's hash, 7 where the value is.
 */
const HASH = 6;
const PLACE = 7;
const ROW_SHIFT = 3;
/** Of the double among those of a page. */
const DOUBLE = 2;

const NOWHERE = 0;
const IN_ROW = 1;
const IN_COLUMN = 2;

const MOST_CHARACTERS = 15;
/** First words of a key that has no words: of a row, and of a key that is looked for. No length, so neither equals anything. */
const NO_WORDS = 0xff;
const NOTHING_TO_FIND = 0xfe;

/**
 * What a slice reads per lookup, an entry a row: the key's hash, the value if it is a number, and the key's **words** if it is a string of at most 15 Latin-1
 * characters, in four words with its length: equal words then mean equal keys.
 *
 * So a record of such a key touches one line of memory beside the index, however the keys came into the heap. Values of other kinds are in a column.
 */
export class SliceRows {
  private readonly pages: Int32Array[] = [];
  private readonly doubles: Float64Array[] = [];
  private readonly others: Column = new Column();
  private scratch: Int32Array = new Int32Array(0);
  /** Keeps reads that only fill the cache from being optimised away. */
  touched = 0;

  /** Begins the row of a new entry, whose value is `undefined`. Rows begin in order. */
  begin(row: number, key: unknown, hash: number): void {
    if (row >>> PAGE_SHIFT >= this.pages.length) {
      const page = new Int32Array(PAGE_ROWS << ROW_SHIFT);
      this.pages.push(page);
      this.doubles.push(new Float64Array(page.buffer));
    }
    const page = this.pages[row >>> PAGE_SHIFT]!;
    const at = (row & PAGE_MASK) << ROW_SHIFT;
    if (typeof key !== "string" || !pack(key, page, at)) page[at] = NO_WORDS;
    page[at + HASH] = hash;
    page[at + PLACE] = NOWHERE;
  }

  hash(row: number): number {
    return this.pages[row >>> PAGE_SHIFT]![((row & PAGE_MASK) << ROW_SHIFT) + HASH]!;
  }

  value(row: number): unknown {
    const at = (row & PAGE_MASK) << ROW_SHIFT;
    const place = this.pages[row >>> PAGE_SHIFT]![at + PLACE]!;
    if (place === IN_ROW) return this.doubles[row >>> PAGE_SHIFT]![(at >>> 1) + DOUBLE]!;
    return place === NOWHERE ? undefined : this.others.get(row);
  }

  setNumber(row: number, value: number): void {
    const page = this.pages[row >>> PAGE_SHIFT]!;
    const at = (row & PAGE_MASK) << ROW_SHIFT;
    this.doubles[row >>> PAGE_SHIFT]![(at >>> 1) + DOUBLE] = value;
    if (page[at + PLACE] === IN_ROW) return;
    if (page[at + PLACE] === IN_COLUMN) this.others.clear(row);
    page[at + PLACE] = IN_ROW;
  }

  /** Stores a value that is no number; `undefined` is none. */
  setOther(row: number, value: unknown): void {
    const page = this.pages[row >>> PAGE_SHIFT]!;
    const place = ((row & PAGE_MASK) << ROW_SHIFT) + PLACE;
    if (value !== undefined) {
      this.others.set(row, value);
      page[place] = IN_COLUMN;
    } else {
      if (page[place] === IN_COLUMN) this.others.clear(row);
      page[place] = NOWHERE;
    }
  }

  /** Moves a row to the place of another, and ends it. */
  move(from: number, to: number): void {
    const source = this.pages[from >>> PAGE_SHIFT]!;
    const at = (from & PAGE_MASK) << ROW_SHIFT;
    const other = source[at + PLACE] === IN_COLUMN ? this.others.get(from) : undefined;
    this.end(to);
    this.pages[to >>> PAGE_SHIFT]!.set(source.subarray(at, at + (1 << ROW_SHIFT)), (to & PAGE_MASK) << ROW_SHIFT);
    if (other !== undefined) this.others.set(to, other);
    this.end(from);
  }

  /** Forgets the value of a row that goes. */
  end(row: number): void {
    this.setOther(row, undefined);
  }

  /** Reads the first `count` of `rows` (negative ones as 0), so that they are in the processor's cache. */
  touch(rows: Int32Array, count: number): void {
    let sum = 0;
    const { pages } = this;
    if (pages.length === 0) return;
    for (let i = 0; i < count; i++) {
      const row = Math.max(rows[i]!, 0);
      sum += pages[row >>> PAGE_SHIFT]![((row & PAGE_MASK) << ROW_SHIFT) + PLACE]!;
    }
    this.touched = sum;
  }

  /**
   * Sets those of the first `count` `rows` to -1 that have not the words of the key in their place. Returns how many of the keys have words; one that has
   * none matches no row. No branch depends on the rows, so that their cache misses overlap.
   */
  match(keys: readonly unknown[], count: number, rows: Int32Array): number {
    const { pages } = this;
    if (this.scratch.length < count << 2) this.scratch = new Int32Array(count << 2);
    const { scratch } = this;
    let packed = 0;
    let touched = 0;
    for (let i = 0, mine = 0; i < count; i++, mine += 4) {
      const key = keys[i];
      if (typeof key === "string" && pack(key, scratch, mine)) packed++;
      else scratch[mine] = NOTHING_TO_FIND;
    }
    if (packed === 0 || pages.length === 0) return 0;
    for (let i = 0, mine = 0; i < count; i++, mine += 4) {
      const row = rows[i]!;
      const known = Math.max(row, 0);
      const page = pages[known >>> PAGE_SHIFT]!;
      const at = (known & PAGE_MASK) << ROW_SHIFT;
      const difference = (page[at]! ^ scratch[mine]!) | (page[at + 1]! ^ scratch[mine + 1]!) | (page[at + 2]! ^ scratch[mine + 2]!) | (page[at + 3]! ^ scratch[mine + 3]!);
      rows[i] = row | ((difference | -difference) >> 31);
      // The value is read next, and every other row lies across two lines where arrays begin in the middle of one.
      touched += page[at + PLACE]!;
    }
    this.touched = touched;
    return packed;
  }
}

/** Writes the words of a string to `words[at…at + 3]`; false when it has none. */
function pack(key: string, words: Int32Array, at: number): boolean {
  const length = key.length;
  if (length > MOST_CHARACTERS) return false;
  let all = 0;
  let word = length;
  let shift = 8;
  let next = at;
  for (let i = 0; i < length; i++) {
    const unit = key.charCodeAt(i);
    all |= unit;
    word |= unit << shift;
    shift += 8;
    if (shift === 32) {
      words[next++] = word;
      word = 0;
      shift = 0;
    }
  }
  for (const end = at + 4; next < end; word = 0) words[next++] = word;
  return all <= 0xff;
}
