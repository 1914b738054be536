import { detachValue } from "@millrace/core";
import { Column } from "./column.js";
import { PAGE_MASK, PAGE_ROWS, PAGE_SHIFT } from "./paged.js";
import type { StateColumn } from "./state-column.js";
import { StateMap } from "./state-map.js";

/** Entries a row has room for without a map of its own. */
const SLOTS = 2;
const SLOTS_SHIFT: number = PAGE_SHIFT + 1;
const SLOTS_MASK: number = (1 << SLOTS_SHIFT) - 1;
const NO_NUMBERS: Float64Array = new Float64Array(0);
/** Stands for a page without keys (or maps) of its kind; never written. */
const NOTHING: unknown[] = [];

/**
 * The column of a map state: one small map per row, none where there is no entry.
 *
 * Up to two entries of a row lie in the column itself, keys that are numbers even as doubles: a lookup costs two cache misses, where an object
 * per map costs five, and nothing for the garbage collector to trace but the values. A row with more of them, or with a key that has to be
 * compared by content, has a {@link StateMap}, until that is empty. In both forms entries are in order of insertion.
 */
export class MapColumn implements StateColumn {
  /** By page: keys of both slots as doubles, NaN for none; empty when the page has no keys or other ones. */
  private readonly numbers: Float64Array[] = [];
  /** By page: keys, `undefined` for none; {@link NOTHING} when the page has none or only numbers. */
  private readonly keys: unknown[][] = [];
  /** By page: maps of their own. */
  private readonly maps: unknown[][] = [];
  /** By slot (two a row). */
  private readonly values: Column = new Column();
  /** Counts entries added and removed, for iterators. */
  changes = 0;

  /** The value of an entry; `undefined` when there is none. */
  valueOf(row: number, key: unknown): unknown {
    const slot = this.slotOf(row, key);
    return slot >= 0 ? this.values.get(slot) : this.mapOf(row)?.get(key);
  }

  has(row: number, key: unknown): boolean {
    return this.slotOf(row, key) >= 0 || this.mapOf(row)?.has(key) === true;
  }

  /** Sets an entry; tells whether the row had none before. */
  put(row: number, key: unknown, value: unknown): boolean {
    const slot = value === undefined ? -1 : this.slotOf(row, key);
    if (slot < 0) return this.add(row, key, value);
    if (typeof value === "number" || this.values.get(slot) !== value) this.values.set(slot, value);
    return false;
  }

  /** Removes an entry if it is there; tells whether it was the row's last one. */
  remove(row: number, key: unknown): boolean {
    const slot = this.slotOf(row, key);
    if (slot < 0) return this.removeFromMap(row, key);
    this.changes++;
    const first = firstSlot(row);
    const second = first + PAGE_ROWS;
    const next = this.keyAt(second);
    if (next === undefined) {
      this.clearSlot(first);
      return true;
    }
    if (slot === first) {
      this.setKey(first, next);
      this.values.set(first, this.values.get(second));
    }
    this.clearSlot(second);
    return false;
  }

  isEmpty(row: number): boolean {
    return this.keyAt(firstSlot(row)) === undefined && this.mapOf(row) === undefined;
  }

  /** The row's entries as they are now. */
  toArray(row: number): (readonly [unknown, unknown])[] {
    const map = this.mapOf(row);
    if (map !== undefined) return map.toArray();
    const entries: (readonly [unknown, unknown])[] = [];
    for (let at = 0; at < SLOTS; at++) {
      const entry = this.entryAt(row, at);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  /** An entry of a row without a map of its own, by place; `undefined` behind the last one. */
  entryAt(row: number, at: number): readonly [unknown, unknown] | undefined {
    if (at >= SLOTS) return undefined;
    const slot = firstSlot(row) + at * PAGE_ROWS;
    const key = this.keyAt(slot);
    return key === undefined ? undefined : [key, this.values.get(slot)];
  }

  /** The row's own map, when it has one. */
  mapOf(row: number): StateMap | undefined {
    const page = row >>> PAGE_SHIFT;
    if (page >= this.maps.length) return undefined;
    const maps = this.maps[page]!;
    return maps.length === 0 ? undefined : (maps[row & PAGE_MASK] as StateMap | undefined);
  }

  /** The row's entries as a map, `undefined` without any: what snapshots write. */
  get(row: number): StateMap | undefined {
    const own = this.mapOf(row);
    if (own !== undefined || this.keyAt(firstSlot(row)) === undefined) return own;
    const map = new StateMap();
    for (const [key, value] of this.toArray(row)) map.set(key, value);
    return map;
  }

  /** Replaces the row's entries by those of a map; tells whether it had none before. */
  set(row: number, map: unknown): boolean {
    const absent = this.isEmpty(row);
    this.clear(row);
    const entries = map as StateMap;
    if (entries.size <= SLOTS) for (const [key, value] of entries.toArray()) this.put(row, key, value);
    else this.setMap(row, entries);
    return absent;
  }

  /** Removes the row's entries; tells whether there were any. */
  clear(row: number): boolean {
    const own = this.mapOf(row);
    if (own !== undefined) this.maps[row >>> PAGE_SHIFT]![row & PAGE_MASK] = undefined;
    else if (this.keyAt(firstSlot(row)) === undefined) return false;
    this.changes++;
    this.clearSlots(row);
    return true;
  }

  /** Not the numbers of the page, unless it has no entries: maps are written one by one. */
  numbersOf(page: number): Float64Array | undefined {
    const used = page < this.numbers.length && (this.numbers[page]!.length !== 0 || this.keys[page] !== NOTHING || this.maps[page] !== NOTHING);
    return used ? undefined : NO_NUMBERS;
  }

  /** No page of maps is one of numbers. */
  hasNaN(): boolean {
    return false;
  }

  /** Reads the first entry of each row, and the beginning of its value: brings them into the processor's cache. */
  touchAll(rows: Int32Array, count: number): number {
    const { numbers, values } = this;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const row = rows[i]!;
      const page = row >>> PAGE_SHIFT;
      if (page >= numbers.length) continue;
      const keys = numbers[page]!;
      sum += keys.length !== 0 ? keys[row & PAGE_MASK]! : this.keys[page]![row & PAGE_MASK] === undefined ? 0 : 1;
      sum += typeof values.get(firstSlot(row)) === "object" ? 1 : 0;
    }
    return sum;
  }

  /** Slot of a key, or -1. NaN, `undefined` and objects are never found here. */
  private slotOf(row: number, key: unknown): number {
    const page = row >>> PAGE_SHIFT;
    if (page >= this.numbers.length) return -1;
    const at = row & PAGE_MASK;
    const numbers = this.numbers[page]!;
    if (numbers.length !== 0) {
      if (typeof key !== "number") return -1;
      return numbers[at] === key ? firstSlot(row) : numbers[at + PAGE_ROWS] === key ? firstSlot(row) + PAGE_ROWS : -1;
    }
    const keys = this.keys[page]!;
    if (keys === NOTHING || key === undefined) return -1;
    return keys[at] === key ? firstSlot(row) : keys[at + PAGE_ROWS] === key ? firstSlot(row) + PAGE_ROWS : -1;
  }

  /** The key in a slot, `undefined` for none. */
  private keyAt(slot: number): unknown {
    const page = slot >>> SLOTS_SHIFT;
    if (page >= this.numbers.length) return undefined;
    const at = slot & SLOTS_MASK;
    const numbers = this.numbers[page]!;
    if (numbers.length === 0) return this.keys[page] === NOTHING ? undefined : this.keys[page]![at];
    const key = numbers[at]!;
    return key === key ? key : undefined;
  }

  private setKey(slot: number, key: unknown): void {
    const page = slot >>> SLOTS_SHIFT;
    const at = slot & SLOTS_MASK;
    if (this.numbers[page]!.length === 0 && this.keys[page] === NOTHING) this.newPage(page, key);
    if (this.numbers[page]!.length !== 0) {
      if (typeof key === "number") {
        // Of the two zeros a Map keeps this one.
        this.numbers[page]![at] = key === 0 ? 0 : key;
        return;
      }
      this.promote(page);
    }
    this.keys[page]![at] = key === 0 ? 0 : key;
  }

  private clearSlots(row: number): void {
    for (let at = 0; at < SLOTS; at++) this.clearSlot(firstSlot(row) + at * PAGE_ROWS);
  }

  private clearSlot(slot: number): void {
    const page = slot >>> SLOTS_SHIFT;
    if (page >= this.numbers.length) return;
    const at = slot & SLOTS_MASK;
    if (this.numbers[page]!.length !== 0) this.numbers[page]![at] = NaN;
    else if (this.keys[page] !== NOTHING) this.keys[page]![at] = undefined;
    this.values.clear(slot);
  }

  /** {@link put} of an entry that has no slot. */
  private add(row: number, key: unknown, value: unknown): boolean {
    this.reach(row >>> PAGE_SHIFT);
    const own = this.mapOf(row);
    if (own !== undefined) {
      own.set(key, value);
      return false;
    }
    this.changes++;
    const first = firstSlot(row);
    const absent = this.keyAt(first) === undefined;
    const slot = absent ? first : this.keyAt(first + PAGE_ROWS) === undefined ? first + PAGE_ROWS : -1;
    if (slot >= 0 && value !== undefined && isPlain(key)) {
      this.setKey(slot, typeof key === "string" ? detachValue(key) : key);
      this.values.set(slot, value);
    } else {
      const map = this.get(row) ?? new StateMap();
      this.clearSlots(row);
      map.set(key, value);
      this.setMap(row, map);
    }
    return absent;
  }

  private removeFromMap(row: number, key: unknown): boolean {
    const map = this.mapOf(row);
    if (map === undefined || !map.delete(key) || map.size > 0) return false;
    this.maps[row >>> PAGE_SHIFT]![row & PAGE_MASK] = undefined;
    this.changes++;
    return true;
  }

  private setMap(row: number, map: StateMap): void {
    const page = row >>> PAGE_SHIFT;
    this.reach(page);
    if (this.maps[page] === NOTHING) this.maps[page] = Array<unknown>(PAGE_ROWS).fill(undefined);
    this.maps[page]![row & PAGE_MASK] = map;
    this.changes++;
  }

  private reach(page: number): void {
    while (this.numbers.length <= page) {
      this.numbers.push(NO_NUMBERS);
      this.keys.push(NOTHING);
      this.maps.push(NOTHING);
    }
  }

  /** Makes room for the first key of a page. */
  private newPage(page: number, key: unknown): void {
    if (typeof key === "number") this.numbers[page] = new Float64Array(PAGE_ROWS * SLOTS).fill(NaN);
    else this.keys[page] = Array<unknown>(PAGE_ROWS * SLOTS).fill(undefined);
  }

  /** A page of numbers gets another key. */
  private promote(page: number): void {
    const numbers = this.numbers[page]!;
    this.keys[page] = Array.from(numbers, (key) => (key === key ? key : undefined));
    this.numbers[page] = NO_NUMBERS;
  }
}

/** A row's first slot; the second one is a page's rows further, so that where there are few second entries, they take no room in the cache. */
function firstSlot(row: number): number {
  return ((row >>> PAGE_SHIFT) << SLOTS_SHIFT) | (row & PAGE_MASK);
}

/** Whether `===` compares a key as key equality does. */
function isPlain(key: unknown): boolean {
  return key === null || (typeof key !== "object" && key !== undefined && key === key);
}
