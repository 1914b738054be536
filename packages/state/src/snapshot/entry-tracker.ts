import type { EntryObserver } from "../heap/entry-observer.js";
import { BitSet, PAGE_ROWS, PAGE_SHIFT } from "../heap/paged.js";
import type { RowSet } from "../heap/row-set.js";

/** Entries of a run: those of a page of rows. */
const RUN_ENTRIES: number = PAGE_ROWS;

/** Writes the entries of `[from, to)` that are not in `written`; returns about how many bytes that took, -1 when they must be written one by one. */
export type WriteRun = (from: number, to: number, written: BitSet) => number;

/** Something that tells one observer about its entries. */
export interface Observed {
  observer: EntryObserver | undefined;
}

/**
 * Copy-on-write for one table and one snapshot: writes every entry that existed at the start exactly once, as it was at the start; in the order
 * of a scan, or earlier when the entry is about to change.
 *
 * Trackers of snapshots that run at the same time are chained.
 */
export class EntryTracker implements EntryObserver {
  /** Entries below are written. */
  private scanned = 0;
  private readonly limit: number;
  /** Entries that need not be written any more, or not at all. */
  private readonly early: BitSet;
  private readonly only: RowSet | undefined;
  private readonly observed: Observed;
  private readonly write: (entry: number) => number;
  private readonly writeRun: WriteRun | undefined;
  private next: EntryObserver | undefined;
  private failure: unknown = undefined;

  /** Starts to track the entries below `limit`, those in `only` when it is given; `write` returns about how many bytes it wrote. */
  constructor(observed: Observed, limit: number, write: (entry: number) => number, writeRun?: WriteRun, only?: RowSet) {
    this.observed = observed;
    this.limit = limit;
    this.early = new BitSet(limit);
    this.only = only;
    if (only !== undefined) this.early.addAllBut(only);
    this.write = write;
    this.writeRun = writeRun;
    this.next = observed.observer;
    observed.observer = this;
  }

  beforeAccess(entry: number): void {
    if (entry < this.limit && entry >= this.scanned && !this.early.has(entry)) {
      this.early.add(entry);
      // A value that cannot be written fails the snapshot, not the function that happens to use it.
      try {
        this.write(entry);
      } catch (error) {
        this.failure ??= error;
      }
    }
    this.next?.beforeAccess(entry);
  }

  taken(entry: number): void {
    if (entry < this.limit && entry >= this.scanned) this.early.add(entry);
    this.next?.taken(entry);
  }

  /** Writes entries up to about `bytes`; true when all are written, and then tracks no more. */
  scan(bytes: number): boolean {
    if (this.failure !== undefined) throw this.failure;
    let left = bytes;
    while (this.scanned < this.limit && left > 0) {
      const entry = this.scanned;
      if (this.writeRun !== undefined && entry % RUN_ENTRIES === 0) {
        const end = Math.min(entry + RUN_ENTRIES, this.limit);
        if (this.only?.countOf(entry >>> PAGE_SHIFT) === 0) {
          left -= 32;
          this.scanned = end;
          continue;
        }
        const written = this.writeRun(entry, end, this.early);
        if (written >= 0) {
          left -= end - entry + written;
          this.scanned = end;
          continue;
        }
      }
      left -= 1;
      if (!this.early.has(entry)) left -= this.write(entry);
      this.scanned = entry + 1;
    }
    if (this.scanned < this.limit) return false;
    this.stop();
    return true;
  }

  stop(): void {
    if (this.observed.observer === this) {
      this.observed.observer = this.next;
      return;
    }
    let previous = this.observed.observer;
    while (previous instanceof EntryTracker && previous.next !== this) previous = previous.next;
    if (previous instanceof EntryTracker) previous.next = this.next;
  }
}
