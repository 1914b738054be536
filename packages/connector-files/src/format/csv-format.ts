import { MillraceError } from "@millrace/core";
import type { TypeInformation } from "@millrace/core";
import { recordType } from "./csv-columns.js";
import type { CsvColumns, CsvRecord } from "./csv-columns.js";
import { CsvDecoder } from "./csv-decoder.js";
import { csvDialect } from "./csv-dialect.js";
import type { CsvDialectOptions } from "./csv-dialect.js";
import { columnsOfHeader, readCsvHeader } from "./csv-header.js";
import { CsvRowBuilder } from "./csv-row-builder.js";
import type { RecordFormat } from "./record-format.js";
import type { StandardSchema } from "./standard-schema.js";
import { TextDecoding } from "./text.js";
import type { TextOptions } from "./text.js";

/** How CSV is read: columns, header, and what else the dialect and text options say. */
export interface CsvOptions<C extends CsvColumns, T> extends CsvDialectOptions, TextOptions {
  /** The columns to read and their types. With a header they are found by name, in any order; without one they are the columns of the file, in order. */
  readonly columns?: C;
  /** Whether the first row of each file names its columns. Default true. */
  readonly header?: boolean;
  /** What columns of the header that are not in `columns` mean. Default `"ignore"`. */
  readonly unknownColumns?: "ignore" | "fail";
  /** A Standard Schema validator (zod, valibot, arktype, …), called synchronously; records it refuses are malformed records. */
  readonly validate?: StandardSchema<T>;
}

/**
 * CSV as in RFC 4180: quoted fields, doubled quotes, `\n` or `\r\n`; blank lines are skipped. Splittable when `quotedNewlines` is false.
 *
 * Without `columns` every field is a string, named by the header. Rows of another width than the header (or `columns`) are malformed.
 * Errors when a file is opened: `CSV_HEADER_MISMATCH` when declared columns are missing from its header (or, by option, unknown ones are there).
 * @throws `OPTION_INVALID` for an impossible dialect or column type, or when neither header nor columns are there.
 */
export function csvFormat<const C extends CsvColumns, T = CsvRecord<C>>(options: CsvOptions<C, T>): RecordFormat<T> {
  const dialect = csvDialect(options);
  const { columns } = options;
  const header = options.header ?? true;
  if (!header && columns === undefined) {
    throw new MillraceError({
      code: "OPTION_INVALID", message: "a CSV source without a header needs its columns", hint: 'give { columns: { name: "string", … } }', location: { option: "columns" },
    });
  }
  const fixed = columns === undefined ? undefined : new CsvRowBuilder(columns, Object.keys(columns), dialect, options.validate);
  const type = columns === undefined || options.validate !== undefined ? undefined : (recordType(columns) as TypeInformation<T> | undefined);
  return {
    name: "CSV",
    splittable: !dialect.quotedNewlines,
    ...(type === undefined ? {} : { producedType: type }),
    async createDecoder(context) {
      const text = new TextDecoding(options);
      if (!header) return new CsvDecoder<T>(context, dialect, text, fixed as CsvRowBuilder<T>, undefined);
      const found = await readCsvHeader(context, dialect, text);
      if (found === undefined) return new CsvDecoder<T>(context, dialect, text, fixed as CsvRowBuilder<T> | undefined, undefined);
      const read = columns ?? columnsOfHeader(found.names);
      const order = found.match(read, columns !== undefined, options.unknownColumns ?? "ignore");
      return new CsvDecoder<T>(context, dialect, text, new CsvRowBuilder<T>(read, order, dialect, options.validate), found);
    },
  };
}
