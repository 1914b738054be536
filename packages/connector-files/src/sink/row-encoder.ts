import { MillraceError } from "@millrace/core";

/** Turns records into the text of a part file. One encoder serves all parts of a writer. Flink: Encoder. */
export interface RowEncoder<T> {
  /** Shown in plans, e.g. `"CSV"`. */
  readonly name: string;
  /** What every part file begins with. */
  readonly header?: string;
  /** The record as it stands in the file, its line end included. Lone surrogates become U+FFFD. */
  encode(value: T): string;
}

/** A line per record: `String(value)`. Flink: SimpleStringEncoder. */
export function linesEncoder<T = unknown>(): RowEncoder<T> {
  return { name: "lines", encode: (value) => `${String(value)}\n` };
}

/** A JSON value per line, as `JSON.stringify` makes it (so `NaN` and `Infinity` become `null`). @throws `RECORD_NOT_ENCODABLE` for what it refuses. */
export function jsonLinesEncoder<T = unknown>(): RowEncoder<T> {
  return {
    name: "JSON lines",
    encode(value) {
      let text: string | undefined;
      let cause: unknown;
      try {
        text = JSON.stringify(value);
      } catch (error) {
        cause = error;
      }
      if (text !== undefined) return `${text}\n`;
      throw new MillraceError({
        code: "RECORD_NOT_ENCODABLE", message: `a record cannot be written as JSON: ${cause === undefined ? `it is of type ${typeof value}` : String(cause)}`,
        hint: "map it to plain data before the sink (bigint to string, say)", cause,
      });
    },
  };
}

/** How records become rows of CSV. */
export interface CsvEncoderOptions<T> {
  /** The fields to write, in order. */
  readonly columns: readonly (keyof T & string)[];
  /** Whether every part file begins with the column names. Default true. */
  readonly header?: boolean;
  /** One character. Default `","`. */
  readonly delimiter?: string;
}

/**
 * A row per record (RFC 4180, `\n`): dates as ISO 8601, missing values as empty fields, the empty string as `""`, objects as JSON; quoted where needed.
 * @throws `OPTION_INVALID` for a bad delimiter or no columns.
 */
export function csvEncoder<T>(options: CsvEncoderOptions<T>): RowEncoder<T> {
  const { columns, delimiter = ",", header = true } = options;
  if (columns.length === 0) throw new MillraceError({ code: "OPTION_INVALID", message: "a CSV sink needs at least one column", location: { option: "columns" } });
  if (delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    throw new MillraceError({ code: "OPTION_INVALID", message: `the CSV delimiter must be one character, not ${JSON.stringify(delimiter)}`, location: { option: "delimiter" } });
  }
  const special = new RegExp(`["\\r\\n${delimiter.replace(/[\\\]^-]/, "\\$&")}]|^$|^[\\s\\uFEFF]|\\s$`);
  const quote = (text: string): string => (special.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return {
    name: "CSV",
    ...(header ? { header: `${columns.map(quote).join(delimiter)}\n` } : {}),
    encode(value) {
      let row = "";
      for (let i = 0; i < columns.length; i++) {
        const field = fieldText(value[columns[i]!]);
        row += (i === 0 ? "" : delimiter) + (field === undefined ? "" : quote(field));
      }
      // A blank line would be no row at all.
      return row === "" ? '""\n' : `${row}\n`;
    },
  };
}

function fieldText(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "string") return value;
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
