import type { MapColumn } from "./map-column.js";

/**
 * The entries of a row of a map column that had no map of its own at the start. Entries may be set and removed on the way: removed ones are not
 * visited any more, new ones are, each key at most once.
 */
export class MapEntries<K, V> implements IterableIterator<readonly [K, V]> {
  private readonly column: MapColumn;
  private readonly row: number;
  private readonly changes: number;
  private readonly seen: unknown[] = [];
  private done = false;

  constructor(column: MapColumn, row: number) {
    this.column = column;
    this.row = row;
    this.changes = column.changes;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<readonly [K, V]> {
    const { column, row, seen } = this;
    const unchanged = column.changes === this.changes;
    const entry = this.done ? undefined : unchanged ? column.entryAt(row, seen.length) : column.toArray(row).find(([key]) => !seen.includes(key));
    if (entry === undefined) {
      this.done = true;
      return { done: true, value: undefined };
    }
    seen.push(entry[0]);
    return { done: false, value: entry as readonly [K, V] };
  }
}
