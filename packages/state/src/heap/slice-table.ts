import { MillraceError, type Slice, type SliceTable } from "@millrace/core";
import type { KeyCursor } from "./key-cursor.js";
import { HeapSlice } from "./slice.js";

/** Slices by integer namespace; dropping one forgets its table whole. */
export class HeapSliceTable<K, V> implements SliceTable<K, V> {
  readonly name: string;
  readonly slices: Map<number, HeapSlice<K, V>> = new Map();
  private readonly cursor: KeyCursor;
  private last: HeapSlice<K, V> | undefined = undefined;

  constructor(name: string, cursor: KeyCursor) {
    this.name = name;
    this.cursor = cursor;
  }

  slice(namespace: number): HeapSlice<K, V> {
    const last = this.last;
    if (last !== undefined && last.namespace === namespace) return last;
    let slice = this.slices.get(namespace);
    if (slice === undefined) {
      if (!Number.isSafeInteger(namespace)) throw notAnInteger(this.name, namespace);
      slice = new HeapSlice<K, V>(namespace, this.cursor);
      this.slices.set(namespace, slice);
    }
    this.last = slice;
    return slice;
  }

  existing(namespace: number): Slice<K, V> | undefined {
    return this.slices.get(namespace);
  }

  namespaces(): number[] {
    return [...this.slices.keys()].sort((a, b) => a - b);
  }

  /** A running snapshot keeps the dropped slice until it has written it. */
  drop(namespace: number): void {
    this.slices.delete(namespace);
    if (this.last?.namespace === namespace) this.last = undefined;
  }
}

function notAnInteger(table: string, namespace: number): MillraceError {
  return new MillraceError({ code: "STATE_NAMESPACE_INVALID", message: `slice table "${table}": ${namespace} is not an integer namespace` });
}
