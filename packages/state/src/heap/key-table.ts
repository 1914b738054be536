import { detachValue, keysEqual } from "@millrace/core";
import { Column } from "./column.js";
import { HashIndex, isInt32, mixHash } from "./hash-index.js";
import { PAGE_MASK, PAGE_SHIFT, PagedInt32 } from "./paged.js";

/** A free row's successor in the free list is kept, biased by one, where a used row has its hash. */
const END_OF_FREE_LIST = 0;

/**
 * The keys of one operator: key → dense row. Every state of the operator is a column over these rows, so a key is looked up once per record.
 *
 * A row lives as long as something holds it ({@link hold}); then it is reused. Keys are detached copies.
 */
export class KeyTable<K = unknown> {
  readonly index: HashIndex = new HashIndex();
  /** By row; only read elsewhere. */
  readonly keys: Column = new Column();
  readonly hashes: PagedInt32 = new PagedInt32();
  /** How many states and timers hold each row; 0 for a free row. */
  readonly holds: PagedInt32 = new PagedInt32();
  /** Rows ever used; every row is below. */
  rowCount = 0;
  private freeList: number = END_OF_FREE_LIST;
  /**
   * Every key so far is an int32. Murmur3 maps int32 keys to hashes one to one, so equal hashes then mean equal keys, and the key page (a
   * cache miss) need not be read.
   */
  onlyInts = true;

  /** Row of a key, or -1. */
  find(key: K, hash: number): number {
    const index = this.index;
    const mixed = mixHash(hash);
    const table = index.tables[mixed >>> index.shift]!;
    const mask = table.length - 2;
    for (let slot = (mixed << 1) & mask; ; slot = (slot + 2) & mask) {
      const biased = table[slot + 1]!;
      if (biased === 0) return -1;
      if (table[slot] === hash) {
        const row = biased - 1;
        if (this.onlyInts && isInt32(key)) return row;
        const found = this.keys.get(row);
        if (found === key || keysEqual(found, key)) return row;
      }
    }
  }

  /** Adds a key that {@link find} did not find. The row is free again unless the caller holds it. */
  insert(key: K, hash: number): number {
    if (!isInt32(key)) this.onlyInts = false;
    let row: number;
    if (this.freeList !== END_OF_FREE_LIST) {
      row = this.freeList - 1;
      this.freeList = this.hashes.get(row);
    } else {
      row = this.rowCount++;
      this.hashes.reach(row);
      this.holds.reach(row);
    }
    this.keys.set(row, detachValue(key));
    this.hashes.set(row, hash);
    this.index.insert(hash, row);
    return row;
  }

  keyAt(row: number): K {
    return this.keys.get(row) as K;
  }

  isUsed(row: number): boolean {
    return this.holds.get(row) !== 0;
  }

  hold(row: number): void {
    this.holds.pages[row >>> PAGE_SHIFT]![row & PAGE_MASK]!++;
  }

  /** Gives one hold up; tells whether that freed the row. */
  release(row: number): boolean {
    const left = --this.holds.pages[row >>> PAGE_SHIFT]![row & PAGE_MASK]!;
    if (left !== 0) return false;
    this.index.remove(this.hashes.get(row), row);
    this.keys.clear(row);
    this.hashes.set(row, this.freeList);
    this.freeList = row + 1;
    return true;
  }
}
