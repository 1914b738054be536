import type { TimerQueue } from "../timers/timer-queue.js";
import { mixHash, type HashIndex } from "./hash-index.js";
import type { KeyTable } from "./key-table.js";
import type { StateRegistry } from "./state-registry.js";

/** Below this size the tables of an operator stay in the processor's cache, and fetching them ahead is not worth the time. */
const MIN_KEYS = 131_072;
/** Rows that are fetched at a time: few enough that all they need is still in the cache when the last one is used. */
const ROWS = 256;

/**
 * Brings rows of a backend that will be used next into the processor's cache.
 *
 * A record of a rarely seen key costs a chain of cache misses, each of which waits for the one before. Here the same memory is read for many
 * keys at a time, level by level and without branches that depend on it, so that the processor has many misses under way at once.
 */
export class RowFetcher {
  private readonly table: KeyTable;
  private readonly states: StateRegistry;
  private readonly queues: ReadonlyMap<string, { readonly eventTime: TimerQueue; readonly processingTime: TimerQueue }>;
  private readonly rows: Int32Array = new Int32Array(ROWS);
  /** Keeps the loads from being optimised away. */
  private touched = 0;

  constructor(table: KeyTable, states: StateRegistry, queues: ReadonlyMap<string, { readonly eventTime: TimerQueue; readonly processingTime: TimerQueue }>) {
    this.table = table;
    this.states = states;
    this.queues = queues;
  }

  /** Fetches the rows of the keys with the hashes from `from` to `to`: most likely, as only the first slot of each hash is looked at. */
  fetch(hashes: ArrayLike<number>, from: number, to: number): void {
    const { table, rows } = this;
    if (table.index.size < MIN_KEYS) return;
    for (let start = from; start < to; start += ROWS) {
      const end = Math.min(start + ROWS, to);
      guessRows(table.index, hashes, start, end, rows);
      if (!table.onlyInts) this.touched += table.keys.touchAll(rows, end - start);
      this.fetchStates(end - start);
    }
  }

  private fetchStates(count: number): void {
    const { rows } = this;
    for (const { column } of this.states.tables.values()) this.touched += column.touchAll(rows, count);
    for (const { eventTime } of this.queues.values()) this.touched += eventTime.touchAll(rows, count);
  }
}

/** The references of hashes in an index, most likely: where neither the first nor the second slot of a hash has it, some other one. */
function guessRows(index: HashIndex, hashes: ArrayLike<number>, from: number, to: number, rows: Int32Array): void {
  const { tables, shift } = index;
  for (let i = from; i < to; i++) {
    const hash = hashes[i]!;
    const mixed = mixHash(hash);
    const table = tables[mixed >>> shift]!;
    const mask = table.length - 2;
    const slot = (mixed << 1) & mask;
    const difference = table[slot]! ^ hash;
    const other = (difference | -difference) >> 31;
    rows[i - from] = Math.max(((table[slot + 1]! & ~other) | (table[((slot + 2) & mask) + 1]! & other)) - 1, 0);
  }
}
