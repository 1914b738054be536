import { MillraceError, keyGroupOf, keyHash } from "@millrace/core";
import type { EntryObserver } from "./entry-observer.js";
import { KeyTable } from "./key-table.js";
import { PAGE_ROWS, PAGE_SHIFT, PAGE_WORDS } from "./paged.js";
import { RowSet } from "./row-set.js";

/** {@link KeyCursor.row} before the current key was looked up. */
export const UNRESOLVED = -2;
/** {@link KeyCursor.row} when the current key has no row. */
export const MISSING = -1;

/**
 * The current key of an operator and its row, looked up once per key, on the first access to any state.
 *
 * Plain fields: this is the hottest object of the package. Only this package writes them.
 */
export class KeyCursor<K = unknown> {
  readonly table: KeyTable<K> = new KeyTable<K>();
  readonly maxParallelism: number;
  readonly firstKeyGroup: number;
  readonly lastKeyGroup: number;
  row: number = UNRESOLVED;
  hasKey = false;
  key: K | undefined = undefined;
  hash = 0;
  /** Told of the first use of every row after {@link takeUsed}. */
  observer: EntryObserver | undefined = undefined;
  /** By row, a bit: it was used (handed out, changed, taken) since {@link takeUsed}. */
  private used: Int32Array = new Int32Array(PAGE_WORDS);
  /**
   * A function that is held by a field and called by `Reflect.apply` is never inlined. Otherwise the first snapshot, and each one that finds
   * another kind of observer, would throw away the compiled code of the whole operator chain, which takes longer than the snapshot.
   */
  private readonly tell: (observer: EntryObserver | undefined, row: number) => void = tellObserver;

  constructor(maxParallelism: number, keyGroupRange: readonly [number, number]) {
    this.maxParallelism = maxParallelism;
    this.firstKeyGroup = keyGroupRange[0];
    this.lastKeyGroup = keyGroupRange[1];
  }

  set(key: K, hash: number | undefined): void {
    if (hash === undefined) {
      if (key === this.key && this.hasKey && typeof key !== "object") return;
      hash = keyHash(key);
    } else if (hash === this.hash && key === this.key && this.hasKey) {
      return;
    }
    this.key = key;
    this.hash = hash;
    this.hasKey = true;
    this.row = UNRESOLVED;
  }

  /** Makes the key of a used row the current key. */
  setToRow(row: number): void {
    this.key = this.table.keyAt(row);
    this.hash = this.table.hashes.get(row);
    this.hasKey = true;
    this.use(row);
    this.row = row;
  }

  /** The rows that were used since this was called last; from now on the first use of each row is told to {@link observer}. */
  takeUsed(): RowSet {
    const used = new RowSet(this.used);
    this.used = new Int32Array(Math.max(used.words.length, PAGE_WORDS * Math.ceil(this.table.rowCount / PAGE_ROWS)));
    this.row = UNRESOLVED;
    return used;
  }

  /** Must be called before a row is handed out or changed otherwise than through the cursor. */
  use(row: number): void {
    if (row >>> 5 >= this.used.length || (this.used[row >>> 5]! & (1 << row)) === 0) this.useFirst(row);
  }

  /** Looks the current key up; its row or {@link MISSING}. */
  resolve(): number {
    if (!this.hasKey) throw noCurrentKey();
    const row = this.table.find(this.key as K, this.hash);
    this.row = row;
    if (row >= 0 && (this.used[row >>> 5]! & (1 << row)) === 0) this.useFirst(row);
    return row;
  }

  /** Looks the current key up and gives it a row when it has none; the caller holds that row. */
  resolveForWrite(): number {
    const found = this.row === MISSING ? MISSING : this.resolve();
    if (found >= 0) return found;
    this.keyGroup();
    const row = this.table.insert(this.key as K, this.hash);
    this.use(row);
    this.row = row;
    return row;
  }

  private useFirst(row: number): void {
    if (row >>> 5 >= this.used.length) this.growUsed(row);
    this.used[row >>> 5]! |= 1 << row;
    Reflect.apply(this.tell, undefined, [this.observer, row]);
  }

  private growUsed(row: number): void {
    // Rows that were restored are there, but were not used yet.
    const pages = 1 + (Math.max(row, this.table.rowCount) >>> PAGE_SHIFT);
    const grown = new Int32Array(Math.max(2 * this.used.length, pages * PAGE_WORDS));
    grown.set(this.used);
    this.used = grown;
  }

  release(row: number): void {
    if (this.table.release(row) && row === this.row) this.row = MISSING;
  }

  /** The current key's group. @throws `KEY_GROUP_MISROUTED` when it belongs to another subtask. */
  keyGroup(): number {
    if (!this.hasKey) throw noCurrentKey();
    return this.keyGroupOfHash(this.hash, this.key);
  }

  keyGroupOfHash(hash: number, key: unknown): number {
    const keyGroup = keyGroupOf(hash, this.maxParallelism);
    if (keyGroup < this.firstKeyGroup || keyGroup > this.lastKeyGroup) throw misrouted(key, keyGroup, this);
    return keyGroup;
  }
}

function tellObserver(observer: EntryObserver | undefined, row: number): void {
  observer?.beforeAccess(row);
}

export function noCurrentKey(): MillraceError {
  return new MillraceError({
    code: "STATE_NO_CURRENT_KEY",
    message: "keyed state was used while no key is current",
    hint: "Use keyed state only while a record or a timer is processed, not in open() or close().",
  });
}

function misrouted(key: unknown, keyGroup: number, cursor: KeyCursor): MillraceError {
  return new MillraceError({
    code: "KEY_GROUP_MISROUTED",
    message:
      `key ${describeKey(key)} belongs to key group ${keyGroup}, but this subtask owns key groups ` +
      `${cursor.firstKeyGroup} to ${cursor.lastKeyGroup} of ${cursor.maxParallelism}`,
    hint: "The key of a record must be the same wherever it is computed: a key selector must be deterministic and must not change the record.",
  });
}

function describeKey(key: unknown): string {
  const text = typeof key === "string" ? JSON.stringify(key) : typeof key === "object" ? JSON.stringify(key, (_, v: unknown) => (typeof v === "bigint" ? `${v}n` : v)) : String(key);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
