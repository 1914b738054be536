import { PAGE_MASK, PAGE_ROWS, PAGE_SHIFT } from "./paged.js";

const NO_NUMBERS: Float64Array = new Float64Array(0);
/** Stands for a page that holds no value yet; never written. */
const NO_OBJECTS: unknown[] = [];

/**
 * One value per row, `undefined` where there is none.
 *
 * Pages hold doubles while every value in them is a number (no boxing, nothing for the garbage collector to trace) and turn into object
 * pages, one at a time, with the first other value. In a page of doubles NaN means "none", unless the row is noted as a real NaN.
 */
export class Column {
  private readonly numbers: Float64Array[] = [];
  private readonly objects: unknown[][] = [];
  /** By page: a bit for each row that holds a real NaN. */
  private readonly realNaNs: (Int32Array | undefined)[] = [];

  get(row: number): unknown {
    const page = row >>> PAGE_SHIFT;
    if (page >= this.numbers.length) return undefined;
    const numbers = this.numbers[page]!;
    if (numbers.length !== 0) {
      const value = numbers[row & PAGE_MASK]!;
      return value === value ? value : this.isRealNaN(row) ? NaN : undefined;
    }
    return this.objects[page]![row & PAGE_MASK];
  }

  /** A page's values as doubles, NaN for "none" (or a real NaN): empty when there are none, `undefined` when some are no numbers. */
  numbersOf(page: number): Float64Array | undefined {
    const numbers = this.numbers[page];
    if (numbers === undefined || numbers.length !== 0) return numbers ?? NO_NUMBERS;
    return this.objects[page] === NO_OBJECTS ? NO_NUMBERS : undefined;
  }

  /** Whether a page of numbers may hold a real NaN. */
  hasNaN(page: number): boolean {
    return this.realNaNs[page] !== undefined;
  }

  /** Stores a value other than `undefined`; tells whether there was none before. */
  set(row: number, value: unknown): boolean {
    const page = row >>> PAGE_SHIFT;
    if (page >= this.numbers.length) this.reach(page);
    const numbers = this.numbers[page]!;
    if (numbers.length !== 0) {
      if (typeof value === "number") {
        const old = numbers[row & PAGE_MASK]!;
        numbers[row & PAGE_MASK] = value;
        if (value === value && old === old) return false;
        return this.setNaN(row, value, old);
      }
      this.promote(page);
    }
    const objects = this.objects[page]!;
    if (objects === NO_OBJECTS) return this.setFirst(page, row, value);
    const absent = objects[row & PAGE_MASK] === undefined;
    objects[row & PAGE_MASK] = value;
    return absent;
  }

  /** Removes the value; tells whether there was one. */
  clear(row: number): boolean {
    const page = row >>> PAGE_SHIFT;
    if (page >= this.numbers.length) return false;
    const numbers = this.numbers[page]!;
    if (numbers.length !== 0) {
      const old = numbers[row & PAGE_MASK]!;
      numbers[row & PAGE_MASK] = NaN;
      return old === old || this.forgetNaN(row);
    }
    const objects = this.objects[page]!;
    if (objects === NO_OBJECTS) return false;
    const present = objects[row & PAGE_MASK] !== undefined;
    objects[row & PAGE_MASK] = undefined;
    return present;
  }

  /** Reads the places of the first `count` of `rows` (negative ones as 0) and, of strings, their beginning, without branches on what is there: brings them into the processor's cache. */
  touchAll(rows: Int32Array, count: number): number {
    let sum = 0;
    const { numbers, objects } = this;
    for (let i = 0; i < count; i++) {
      const row = Math.max(rows[i]!, 0);
      const page = row >>> PAGE_SHIFT;
      if (page >= numbers.length) continue;
      const doubles = numbers[page]!;
      if (doubles.length !== 0) sum += doubles[row & PAGE_MASK]!;
      else {
        const value = objects[page]![row & PAGE_MASK];
        if (typeof value === "string") sum += value.length;
      }
    }
    return sum;
  }

  /** The cold half of {@link set}: old or new value is NaN, which may stand for "none". */
  private setNaN(row: number, value: number, old: number): boolean {
    const wasPresent = old === old || this.forgetNaN(row);
    if (value !== value) {
      const bits = (this.realNaNs[row >>> PAGE_SHIFT] ??= new Int32Array(PAGE_ROWS >>> 5));
      bits[(row & PAGE_MASK) >>> 5]! |= 1 << (row & 31);
    }
    return !wasPresent;
  }

  private isRealNaN(row: number): boolean {
    const bits = this.realNaNs[row >>> PAGE_SHIFT];
    return bits !== undefined && (bits[(row & PAGE_MASK) >>> 5]! & (1 << (row & 31))) !== 0;
  }

  /** Tells whether there was a real NaN. */
  private forgetNaN(row: number): boolean {
    if (!this.isRealNaN(row)) return false;
    this.realNaNs[row >>> PAGE_SHIFT]![(row & PAGE_MASK) >>> 5]! &= ~(1 << (row & 31));
    return true;
  }

  private reach(page: number): void {
    while (this.numbers.length <= page) {
      this.numbers.push(NO_NUMBERS);
      this.objects.push(NO_OBJECTS);
    }
  }

  private setFirst(page: number, row: number, value: unknown): boolean {
    if (typeof value === "number") {
      this.numbers[page] = new Float64Array(PAGE_ROWS).fill(NaN);
      return this.set(row, value);
    }
    const objects = Array<unknown>(PAGE_ROWS).fill(undefined);
    objects[row & PAGE_MASK] = value;
    this.objects[page] = objects;
    return true;
  }

  private promote(page: number): void {
    const first = page * PAGE_ROWS;
    const numbers = this.numbers[page]!;
    const objects = Array<unknown>(PAGE_ROWS).fill(undefined);
    for (let i = 0; i < PAGE_ROWS; i++) {
      const value = numbers[i]!;
      if (value === value) objects[i] = value;
      else if (this.isRealNaN(first + i)) objects[i] = NaN;
    }
    this.numbers[page] = NO_NUMBERS;
    this.realNaNs[page] = undefined;
    this.objects[page] = objects;
  }
}
