import { detachValue, keysEqual, type Slice } from "@millrace/core";
import { Column } from "./column.js";
import type { EntryObserver } from "./entry-observer.js";
import { HashIndex, isInt32, mixHash } from "./hash-index.js";
import type { KeyCursor } from "./key-cursor.js";
import { SliceRows } from "./slice-rows.js";

/**
 * One namespace of a slice table: an open-addressed index over dense rows.
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
  private readonly rows: SliceRows = new SliceRows();
  /** As in the key table: while every key is an int32, equal hashes mean equal keys. */
  private onlyInts = true;
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

  upsertAll(keys: readonly K[], hashes: Int32Array, count: number, positions: Int32Array): void {
    if (this.observer !== undefined) positions.fill(-1, 0, count);
    else this.guess(keys, hashes, count, positions);
    for (let i = 0; i < count; i++) {
      if (positions[i]! < 0) positions[i] = this.upsert(keys[i]!, hashes[i]!);
    }
  }

  /** The positions of keys as far as a lookup would find them soon, -1 for others; all lookups at a time, so that their cache misses overlap. */
  private guess(keys: readonly K[], hashes: Int32Array, count: number, positions: Int32Array): void {
    this.index.first(hashes, count, positions);
    if (this.onlyInts) {
      this.rows.touch(positions, count);
      for (let i = 0; i < count; i++) if (!isInt32(keys[i])) positions[i] = -1;
    } else if (this.rows.match(keys, count, positions) === 0) {
      // The words of long keys match nothing: from here on they are looked up one by one, but their index entries are in the cache.
      positions.fill(-1, 0, count);
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
    const value = this.rows.value(position) as V | undefined;
    if (this.observer !== undefined && typeof value === "object") this.observer.beforeAccess(position);
    return value;
  }

  set(position: number, value: V): void {
    if (this.observer !== undefined) this.observer.beforeAccess(position);
    if (typeof value === "number") this.rows.setNumber(position, value);
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
    this.index.remove(this.rows.hash(position), position);
    if (position !== last) {
      this.index.repoint(this.rows.hash(last), last, position);
      this.keys.set(position, this.keyAt(last));
      this.rows.move(last, position);
    } else {
      this.rows.end(last);
    }
    this.keys.clear(last);
    this.size = last;
  }

  keyAt(position: number): K {
    return this.keys.get(position) as K;
  }

  hashAt(position: number): number {
    return this.rows.hash(position);
  }

  /** The value, for the snapshot: does not count as handing it out. */
  peek(position: number): unknown {
    const value = this.rows.value(position);
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
    this.keys.set(position, detachValue(key));
    this.rows.begin(position, key, hash);
    this.index.insert(hash, position);
    return position;
  }

  private setObject(position: number, value: V): void {
    this.rows.setOther(position, value === undefined || this.rows.value(position) === value ? value : detachValue(value));
  }
}
