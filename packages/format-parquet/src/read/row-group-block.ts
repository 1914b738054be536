import { MillraceError, isMillraceError } from "@millrace/core";
import type { RecordBlock } from "@millrace/core";
import type { DecodedArray } from "hyparquet";
import type { CompiledRows, OutputColumn, RowContext } from "./compile-rows.js";
import type { ColumnTest } from "./parquet-filter.js";
import type { ValueReader } from "./value-reader.js";

/** What rows are made of and with. */
export interface RowReading {
  readonly path: string;
  readonly columns: readonly OutputColumn[];
  readonly tests: readonly ColumnTest[];
  /** Readers of columns that are only in the filter, too. */
  readonly readers: ReadonlyMap<string, ValueReader>;
  readonly rows: CompiledRows;
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
  readonly #ranges: readonly { readonly from: number; readonly to: number; readonly context: RowContext }[];
  readonly #reading: RowReading;

  /** `firstRow` is the group's first row in the file, for messages. */
  constructor(startByte: number, rowCount: number, firstRow: number, ranges: readonly RowRange[], reading: RowReading) {
    this.startByte = startByte;
    this.rowCount = rowCount;
    this.#firstRow = firstRow;
    this.#reading = reading;
    const { columns, tests, readers, rows } = reading;
    const convert = (column: number, raw: unknown, row: number): unknown => this.#convert(columns[column]!.read!, raw, row);
    const passes = (test: number, raw: unknown, row: number): boolean => {
      const { column, comparesRaw, test: holds } = tests[test]!;
      return holds(comparesRaw || raw === null || raw === undefined ? raw : this.#convert(readers.get(column)!, raw, row));
    };
    this.#ranges = ranges.map(({ from, to, data }) => ({
      from, to,
      context: { convert, passes, bounds: rows.bounds, columns: columns.map(({ name }) => data.get(name)), tested: tests.map(({ column }) => data.get(column)) },
    }));
  }

  records(from: number, to: number): T[] {
    const records: T[] = [];
    const { read } = this.#reading.rows;
    for (const range of this.#ranges) {
      const first = Math.max(from, range.from);
      const end = Math.min(to, range.to);
      if (first < end) read(first, end, range.from, range.context, records);
    }
    return records;
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
