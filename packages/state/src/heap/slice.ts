import { detachValue, keysEqual, type Slice } from "@millrace/core";
import { Column } from "./column.js";
import type { EntryObserver } from "./entry-observer.js";
import { HashIndex, isInt32, mixHash, warm } from "./hash-index.js";
import type { KeyCursor } from "./key-cursor.js";
import { PAGE_MASK, PAGE_SHIFT, PagedInt32 } from "./paged.js";

/**
 * One namespace of a slice table: an open-addressed index over dense columns of keys and values.
 *
 * A position stays valid until a `delete`, which moves the last entry into the gap; inserts do not move anything.
 */
export class HeapSlice<K, V> implements Slice<K, V> {
  size = 0;
  readonly namespace: number;
  observer: EntryObserver | undefined = undefined;
  private readonly cursor: KeyCursor;
  private readonly index: HashIndex = new HashIndex();
  private readonly keys: Column = new Column();
  private readonly hashes: PagedInt32 = new PagedInt32();
  private readonly values: Column = new Column();
  /** As in the key table: while every key is an int32, equal hashes mean equal keys. */
  private onlyInts = true;
  /** Keeps the loads of {@link prefetch} from being optimised away. */
  touched = 0;
  private compose: ((position: number, value: V) => V) | undefined = undefined;

  constructor(namespace: number, cursor: KeyCursor) {
    this.namespace = namespace;
    this.cursor = cursor;
  }

  upsert(key: K, hash: number): number {
    const index = this.index;
    const mixed = mixHash(hash);
    const table = index.tables[mixed >>> index.shift]!;
    const mask = table.length - 2;
    for (let slot = (mixed << 1) & mask; ; slot = (slot + 2) & mask) {
      const biased = table[slot + 1]!;
      if (biased === 0) return this.insert(key, hash);
      if (table[slot] === hash) {
        const position = biased - 1;
        if ((this.onlyInts && isInt32(key)) || this.isKeyAt(position, key)) {
          if (this.observer !== undefined) this.observer.beforeAccess(position);
          return position;
        }
      }
    }
  }

  find(key: K, hash: number): number {
    const index = this.index;
    const mixed = mixHash(hash);
    const table = index.tables[mixed >>> index.shift]!;
    const mask = table.length - 2;
    for (let slot = (mixed << 1) & mask; ; slot = (slot + 2) & mask) {
      const biased = table[slot + 1]!;
      if (biased === 0) return -1;
      if (table[slot] === hash) {
        const position = biased - 1;
        if ((this.onlyInts && isInt32(key)) || this.isKeyAt(position, key)) return position;
      }
    }
  }

  /** The value; an object that is handed out here may be changed in place and given to `set` again. */
  get(position: number): V | undefined {
    const value = this.values.get(position) as V | undefined;
    if (this.observer !== undefined && typeof value === "object") this.observer.beforeAccess(position);
    return value;
  }

  set(position: number, value: V): void {
    if (this.observer !== undefined) this.observer.beforeAccess(position);
    if (typeof value === "number") this.values.set(position, value);
    else this.setObject(position, value);
  }

  delete(key: K, hash: number): void {
    const position = this.find(key, hash);
    if (position < 0) return;
    const last = this.size - 1;
    if (this.observer !== undefined) {
      this.observer.beforeAccess(position);
      this.observer.beforeAccess(last);
    }
    this.index.remove(this.hashes.get(position), position);
    if (position !== last) {
      const lastHash = this.hashes.get(last);
      this.index.repoint(lastHash, last, position);
      this.hashes.set(position, lastHash);
      this.keys.set(position, this.keyAt(last));
      const value = this.values.get(last);
      if (value === undefined) this.values.clear(position);
      else this.values.set(position, value);
    }
    this.keys.clear(last);
    this.values.clear(last);
    this.size = last;
  }

  keyAt(position: number): K {
    return this.keys.get(position) as K;
  }

  hashAt(position: number): number {
    return this.hashes.pages[position >>> PAGE_SHIFT]![position & PAGE_MASK]!;
  }

  /** Brings the entries of the hashes from `from` to `to` into the processor's cache; worth it for tens to thousands of them. */
  prefetch(hashes: ArrayLike<number>, from: number, to: number): void {
    this.touched = warm(this.index, [this.values], hashes, from, to);
  }

  /** The value, for the snapshot: does not count as handing it out. */
  peek(position: number): unknown {
    const value = this.values.get(position);
    return this.compose === undefined || value === undefined ? value : this.compose(position, value as V);
  }

  composeValues(compose: (position: number, value: V) => V): void {
    this.compose = compose;
  }

  private isKeyAt(position: number, key: K): boolean {
    const found = this.keys.get(position);
    return found === key || keysEqual(found, key);
  }

  private insert(key: K, hash: number): number {
    this.cursor.keyGroupOfHash(hash, key);
    if (!isInt32(key)) this.onlyInts = false;
    const position = this.size++;
    this.hashes.reach(position);
    this.keys.set(position, detachValue(key));
    this.hashes.set(position, hash);
    this.index.insert(hash, position);
    return position;
  }

  private setObject(position: number, value: V): void {
    if (value === undefined) this.values.clear(position);
    else this.values.set(position, this.values.get(position) === value ? value : detachValue(value));
  }
}
