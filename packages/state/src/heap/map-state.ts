import { detachValue, type MapState } from "@millrace/core";
import type { Cell } from "./cells.js";
import type { KeyCursor } from "./key-cursor.js";
import type { MapColumn } from "./map-column.js";
import { MapEntries } from "./map-entries.js";
import { StateMap } from "./state-map.js";

/** What follows from the other operations of a map state. */
abstract class MapStateBase<K, V> implements MapState<K, V> {
  abstract get(key: K): V | undefined;
  abstract put(key: K, value: V): void;
  abstract remove(key: K): void;
  abstract contains(key: K): boolean;
  abstract entries(): Iterable<readonly [K, V]>;
  abstract isEmpty(): boolean;
  abstract clear(): void;

  putAll(entries: Iterable<readonly [K, V]>): void {
    for (const [key, value] of entries) this.put(key, value);
  }

  *keys(): Iterable<K> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): Iterable<V> {
    for (const [, value] of this.entries()) yield value;
  }
}

/** Map state of the void namespace: the current key's row of a map column. */
export class RowMapState<K, V> extends MapStateBase<K, V> {
  private readonly cursor: KeyCursor;
  private readonly column: MapColumn;

  constructor(cursor: KeyCursor, column: MapColumn) {
    super();
    this.cursor = cursor;
    this.column = column;
  }

  get(key: K): V | undefined {
    const row = this.row();
    return row < 0 ? undefined : (this.column.valueOf(row, key) as V | undefined);
  }

  put(key: K, value: V): void {
    const { cursor } = this;
    const row = cursor.row >= 0 ? cursor.row : cursor.resolveForWrite();
    if (this.column.put(row, key, typeof value === "number" ? value : detachValue(value))) cursor.table.hold(row);
  }

  remove(key: K): void {
    const row = this.row();
    if (row >= 0 && this.column.remove(row, key)) this.cursor.release(row);
  }

  contains(key: K): boolean {
    const row = this.row();
    return row >= 0 && this.column.has(row, key);
  }

  entries(): Iterable<readonly [K, V]> {
    const row = this.row();
    if (row < 0) return [];
    const own = this.column.mapOf(row);
    return own === undefined ? new MapEntries<K, V>(this.column, row) : (own.entries() as Iterable<readonly [K, V]>);
  }

  isEmpty(): boolean {
    const row = this.row();
    return row < 0 || this.column.isEmpty(row);
  }

  clear(): void {
    const row = this.row();
    if (row >= 0 && this.column.clear(row)) this.cursor.release(row);
  }

  private row(): number {
    const { cursor } = this;
    return cursor.row >= 0 ? cursor.row : cursor.resolve();
  }
}

/** Map state in a cell, as namespaced state has it. */
export class CellMapState<K, V> extends MapStateBase<K, V> {
  private readonly cell: Cell;

  constructor(cell: Cell) {
    super();
    this.cell = cell;
  }

  get(key: K): V | undefined {
    return this.map()?.get(key);
  }

  put(key: K, value: V): void {
    this.mapForWrite().set(key, detachValue(value));
  }

  remove(key: K): void {
    const map = this.map();
    if (map !== undefined && map.delete(key) && map.size === 0) this.cell.remove();
  }

  contains(key: K): boolean {
    return this.map()?.has(key) === true;
  }

  entries(): Iterable<readonly [K, V]> {
    return this.map()?.entries() ?? [];
  }

  isEmpty(): boolean {
    return this.map() === undefined;
  }

  clear(): void {
    this.cell.remove();
  }

  private map(): StateMap<K, V> | undefined {
    return this.cell.read() as StateMap<K, V> | undefined;
  }

  private mapForWrite(): StateMap<K, V> {
    const existing = this.map();
    if (existing !== undefined) return existing;
    const map = new StateMap<K, V>();
    this.cell.write(map);
    return map;
  }
}
