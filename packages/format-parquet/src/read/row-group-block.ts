import { MillraceError, isMillraceError } from "@millrace/core";
import type { RecordBlock } from "@millrace/core";
import type { DecodedArray } from "hyparquet";
import type { ColumnTest } from "./parquet-filter.js";
import type { ValueReader } from "./value-reader.js";

/** A column of the records: where its values come from. */
export interface OutputColumn {
  readonly name: string;
  /** `undefined` when the file does not have it: all null. */
  readonly read: ValueReader | undefined;
}

/** What rows are made of and with. */
export interface RowReading {
  readonly path: string;
  readonly columns: readonly OutputColumn[];
  readonly tests: readonly ColumnTest[];
  /** Readers of columns that are only in the filter, too. */
  readonly readers: ReadonlyMap<string, ValueReader>;
}

/** Rows [from, to) of a row group that were read, by column. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
  readonly data: ReadonlyMap<string, DecodedArray>;
}

/** A row group in memory: the columns that were asked for, of the pages that may hold rows of the filter. */
export class RowGroupBlock<T> implements RecordBlock<T> {
  readonly startByte: number;
  readonly rowCount: number;
  readonly #firstRow: number;
  readonly #ranges: readonly RowRange[];
  readonly #reading: RowReading;

  /** `firstRow` is the group's first row in the file, for messages. */
  constructor(startByte: number, rowCount: number, firstRow: number, ranges: readonly RowRange[], reading: RowReading) {
    this.startByte = startByte;
    this.rowCount = rowCount;
    this.#firstRow = firstRow;
    this.#ranges = ranges;
    this.#reading = reading;
  }

  records(from: number, to: number): T[] {
    const records: T[] = [];
    for (const range of this.#ranges) {
      const end = Math.min(to, range.to);
      for (let row = Math.max(from, range.from); row < end; row++) {
        if (!this.#passes(range, row)) continue;
        records.push(this.#record(range, row) as T);
      }
    }
    return records;
  }

  #passes({ data, from }: RowRange, row: number): boolean {
    const { tests, readers } = this.#reading;
    for (const { column, comparesRaw, test } of tests) {
      const raw: unknown = data.get(column)?.[row - from];
      const isMissing = raw === null || raw === undefined;
      if (!test(comparesRaw || isMissing ? raw : this.#convert(readers.get(column)!, raw, row))) return false;
    }
    return true;
  }

  #record({ data, from }: RowRange, row: number): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    for (const { name, read } of this.#reading.columns) record[name] = read === undefined ? null : this.#convert(read, data.get(name)![row - from], row);
    return record;
  }

  #convert(read: ValueReader, raw: unknown, row: number): unknown {
    try {
      return read(raw);
    } catch (error) {
      if (!isMillraceError(error)) throw error;
      const { path } = this.#reading;
      throw new MillraceError({ code: error.code, message: `${path}, row ${this.#firstRow + row + 1}: ${error.message}`, ...(error.hint === undefined ? {} : { hint: error.hint }), location: { file: path } });
    }
  }
}
