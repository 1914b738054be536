import { ByteWriter, keyGroupOf, writeValue } from "@millrace/core";
import type { KeyTable } from "../heap/key-table.js";
import { PAGE_MASK, PAGE_ROWS, PAGE_SHIFT, type BitSet } from "../heap/paged.js";
import type { StateTable } from "../heap/state-table.js";
import type { GroupWriter } from "./group-writer.js";

const NO_NUMBERS: Float64Array = new Float64Array(0);

/** Rows of one page that belong to one key group, for {@link GroupWriter.addRows}. */
export interface RowRun {
  /** The page's first row. */
  readonly firstRow: number;
  /** Rows, counted from {@link firstRow}, sorted by key group; those of the group are `[from, to)` of them. */
  readonly order: Int32Array;
  readonly from: number;
  readonly to: number;
  /** The page's keys as doubles; empty when some are no numbers. */
  readonly keys: Float64Array;
  /** Otherwise: the keys as `writeValue` writes them, one behind the other, and where each ends. */
  readonly written: Uint8Array;
  readonly writtenEnds: Int32Array;
  readonly states: readonly StateTable[];
  /** By state: its values as doubles; empty when there are none, or some are no numbers. */
  readonly numbers: readonly Float64Array[];
  /** By state: 1 when every row of the run has a number. */
  readonly dense: Uint8Array;
}

/** Writes whole pages of rows whose values are all numbers: sorts a page's rows by key group, so that each column is copied in one loop a group. */
export class RowRuns {
  private readonly table: KeyTable;
  private readonly states: readonly StateTable[];
  private readonly maxParallelism: number;
  private readonly firstKeyGroup: number;
  private readonly writerOf: (index: number) => GroupWriter;
  private readonly order: Int32Array = new Int32Array(PAGE_ROWS);
  /** By row of the page: 1 + index of its key group, 0 when it is not written. */
  private readonly groupOfRow: Uint16Array = new Uint16Array(PAGE_ROWS);
  /** By key group index: where its rows begin in {@link order}; while they are sorted in, where the next one goes. */
  private readonly starts: Int32Array;
  private readonly dense: Uint8Array;
  private readonly keyWriter: ByteWriter = new ByteWriter();
  private readonly writtenEnds: Int32Array = new Int32Array(PAGE_ROWS);

  /** `writerOf` gives the writer of a key group by its index in the backend's range. */
  constructor(
    table: KeyTable, states: readonly StateTable[], maxParallelism: number, keyGroupRange: readonly [number, number],
    writerOf: (index: number) => GroupWriter,
  ) {
    this.table = table;
    this.states = states;
    this.maxParallelism = maxParallelism;
    this.firstKeyGroup = keyGroupRange[0];
    this.writerOf = writerOf;
    this.starts = new Int32Array(keyGroupRange[1] - keyGroupRange[0] + 2);
    this.dense = new Uint8Array(states.length);
  }

  /**
   * Writes the rows of `[from, to)` that are not in `early`. `from` is the first row of a page, and `to` lies in it or ends it.
   * Returns about how many bytes that took, or -1 when they must be written one by one: some value in the page is no number.
   */
  write(from: number, to: number, early: BitSet): number {
    const page = from >>> PAGE_SHIFT;
    const numbers: Float64Array[] = [];
    for (const { column } of this.states) {
      const values = column.numbersOf(page);
      if (values === undefined) return -1;
      numbers.push(values);
    }
    this.sort(from, to, early, numbers);
    const keys = this.table.keys.numbersOf(page) ?? NO_NUMBERS;
    if (keys.length === 0) this.writeKeys(from, to);
    const { order, starts, states, dense, writtenEnds } = this;
    const run = { firstRow: page * PAGE_ROWS, order, from: 0, to: 0, keys, written: this.keyWriter.bytes, writtenEnds, states, numbers, dense };
    let bytes = 0;
    for (let index = 0; index + 1 < starts.length; index++) {
      run.to = starts[index]!;
      if (run.to > run.from) bytes += this.writerOf(index).addRows(run);
      run.from = run.to;
    }
    return bytes;
  }

  /** Writes the keys of the chosen rows in the order they lie in memory, which a sorted access would fetch in bits. */
  private writeKeys(from: number, to: number): void {
    const { keyWriter, writtenEnds, groupOfRow, table } = this;
    keyWriter.clear();
    for (let row = from; row < to; row++) {
      const at = row & PAGE_MASK;
      if (groupOfRow[at] !== 0) writeValue(keyWriter, table.keyAt(row));
      writtenEnds[at] = keyWriter.position;
    }
  }

  /** Fills {@link order} by counting; afterwards {@link starts} holds where each group's rows end. */
  private sort(from: number, to: number, early: BitSet, numbers: readonly Float64Array[]): void {
    const { order, starts, groupOfRow } = this;
    this.chooseRows(from, to, early, numbers);
    let position = 0;
    for (let index = 0; index < starts.length; index++) {
      const count = starts[index]!;
      starts[index] = position;
      position += count;
    }
    for (let row = from; row < to; row++) {
      const group = groupOfRow[row & PAGE_MASK]!;
      if (group !== 0) order[starts[group - 1]!++] = row & PAGE_MASK;
    }
  }

  /** Notes the key groups of the rows that have a value, how many rows each group has, and which states are {@link dense}. */
  private chooseRows(from: number, to: number, early: BitSet, numbers: readonly Float64Array[]): void {
    const { starts, groupOfRow, dense, maxParallelism, firstKeyGroup, states } = this;
    const page = from >>> PAGE_SHIFT;
    const hashes = this.table.hashes.pages[page]!;
    const holds = this.table.holds.pages[page]!;
    starts.fill(0);
    groupOfRow.fill(0);
    for (let i = 0; i < dense.length; i++) dense[i] = numbers[i]!.length === 0 ? 0 : 1;
    for (let row = from; row < to; row++) {
      if ((row & 31) === 0 && early.wordOf(row) === -1) {
        row += 31;
        continue;
      }
      const at = row & PAGE_MASK;
      if (holds[at] === 0 || early.has(row)) continue;
      let hasValue = false;
      for (let i = 0; i < dense.length; i++) {
        const values = numbers[i]!;
        if (values.length === 0) continue;
        const value = values[at]!;
        if (value === value) {
          hasValue = true;
        } else {
          dense[i] = 0;
          hasValue ||= states[i]!.column.get(row) !== undefined;
        }
      }
      if (!hasValue) continue;
      const index = keyGroupOf(hashes[at]!, maxParallelism) - firstKeyGroup;
      groupOfRow[at] = index + 1;
      starts[index]!++;
    }
  }
}
