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
  private readonly realNaNs: Set<number> = new Set();

  get(row: number): unknown {
    const page = row >>> PAGE_SHIFT;
    if (page >= this.numbers.length) return undefined;
    const numbers = this.numbers[page]!;
    if (numbers.length !== 0) {
      const value = numbers[row & PAGE_MASK]!;
      return value === value ? value : this.realNaNs.has(row) ? NaN : undefined;
    }
    return this.objects[page]![row & PAGE_MASK];
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
      return old === old || this.realNaNs.delete(row);
    }
    const objects = this.objects[page]!;
    if (objects === NO_OBJECTS) return false;
    const present = objects[row & PAGE_MASK] !== undefined;
    objects[row & PAGE_MASK] = undefined;
    return present;
  }

  /** Reads the place of a value, whatever it holds: brings it into the processor's cache. */
  touch(row: number): number {
    const page = row >>> PAGE_SHIFT;
    if (page >= this.numbers.length) return 0;
    const numbers = this.numbers[page]!;
    if (numbers.length !== 0) return numbers[row & PAGE_MASK]!;
    return this.objects[page]![row & PAGE_MASK] === undefined ? 0 : 1;
  }

  /** The cold half of {@link set}: old or new value is NaN, which may stand for "none". */
  private setNaN(row: number, value: number, old: number): boolean {
    const wasPresent = old === old || this.realNaNs.delete(row);
    if (value !== value) this.realNaNs.add(row);
    return !wasPresent;
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
      else if (this.realNaNs.delete(first + i)) objects[i] = NaN;
    }
    this.numbers[page] = NO_NUMBERS;
    this.objects[page] = objects;
  }
}
