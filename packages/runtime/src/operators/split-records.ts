import { detachValue, type Slice } from "@millrace/core";
import type { FieldReduction } from "@millrace/graph";
import { fieldReducerFor, type FieldReducer } from "./field-reducer.js";
import { RecordPages } from "./record-pages.js";

/**
 * Records of a slice, kept in two parts where one field is a number: that number is the value in the slice, and the record it is the field of is here,
 * unless it is but its key and the number. Other records are values of the slice as they are.
 */
export class SplitRecords {
  /** Of the records that are split; set with the first one. */
  reducer: FieldReducer | undefined;
  /** By position. */
  readonly records: RecordPages;
  private readonly slice: Slice<unknown, unknown>;
  private readonly reduction: FieldReduction;
  private learnt: boolean;

  constructor(slice: Slice<unknown, unknown>, reduction: FieldReduction) {
    this.slice = slice;
    this.reduction = reduction;
    this.records = new RecordPages();
    this.reducer = undefined;
    // A backend that cannot make whole records for a snapshot gets whole ones to begin with.
    this.learnt = slice.composeValues === undefined;
    slice.composeValues?.((position, kept) => this.whole(position, slice.keyAt(position), kept));
  }

  keep(position: number, key: unknown, record: unknown): void {
    if (!this.learnt) {
      this.reducer = fieldReducerFor(record, this.reduction);
      this.learnt = true;
    }
    const { reducer, records, slice } = this;
    if (records.used) records.set(position, undefined);
    // Where numbers are fields, one that is a record itself, and so has none, is as good as an empty record.
    if (reducer === undefined || !reducer.fits(record)) return slice.set(position, reducer !== undefined && typeof record === "number" ? {} : record);
    const number = reducer.read(record);
    if (typeof number !== "number" || number !== number) return slice.set(position, record);
    slice.set(position, number);
    if (!reducer.isKeyOnly(record, key)) records.set(position, detachValue(record));
  }

  /** The record of a value of the slice. */
  whole(position: number, key: unknown, kept: unknown): unknown {
    if (typeof kept !== "number" || this.reducer === undefined) return kept;
    const record = this.records.get(position);
    return record === undefined ? this.reducer.fromKey(key, kept) : this.reducer.withField(record, kept);
  }
}
