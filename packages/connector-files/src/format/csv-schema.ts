import type { DeserializationSchema, SerializationSchema, TypeInformation } from "@millrace/core";
import { csvEncoder } from "../sink/row-encoder.js";
import { recordType } from "./csv-columns.js";
import type { CsvColumns, CsvRecord } from "./csv-columns.js";
import { CsvDecoder } from "./csv-decoder.js";
import { csvDialect } from "./csv-dialect.js";
import type { CsvDialectOptions } from "./csv-dialect.js";
import { CsvRowBuilder } from "./csv-row-builder.js";
import { DecodedBlock } from "./record-format.js";
import type { StandardSchema } from "./standard-schema.js";
import { TextDecoding } from "./text.js";
import type { TextOptions } from "./text.js";

/** How messages of CSV are read and written. */
export interface CsvSchemaOptions<C extends CsvColumns, T> extends CsvDialectOptions, TextOptions {
  /** The fields of a message, in order, and their types. */
  readonly columns: C;
  /** A Standard Schema validator, called synchronously; what it refuses is a malformed message. */
  readonly validate?: StandardSchema<T>;
}

const MAX_MESSAGE_BYTES = 2 ** 29 - 1;

/** Messages that are one row of CSV each, without a header and without a line end. Flink: CsvRowDataDeserializationSchema. */
export class CsvSchema<T> implements DeserializationSchema<T>, SerializationSchema<T> {
  readonly name = "CSV";
  readonly producedType?: TypeInformation<T>;
  readonly #decoder: CsvDecoder<T>;
  readonly #encode: (value: T) => string;

  private constructor(options: CsvSchemaOptions<CsvColumns, T>) {
    const { columns, validate, delimiter } = options;
    const dialect = csvDialect(options);
    const builder = new CsvRowBuilder<T>(columns, Object.keys(columns), dialect, validate);
    const context = { path: "", atFileStart: false, maxRecordBytes: MAX_MESSAGE_BYTES, readHead: () => Promise.resolve(new Uint8Array(0)) };
    this.#decoder = new CsvDecoder<T>(context, dialect, new TextDecoding(options), builder, undefined);
    const type = validate === undefined ? recordType(columns) : undefined;
    if (type !== undefined) this.producedType = type as TypeInformation<T>;
    const encoder = csvEncoder<T>({ columns: Object.keys(columns) as (keyof T & string)[], header: false, ...(delimiter === undefined ? {} : { delimiter }) });
    this.#encode = (value) => encoder.encode(value).slice(0, -1);
  }

  /** @throws `OPTION_INVALID` for an impossible dialect or column type */
  static of<const C extends CsvColumns, T = CsvRecord<C>>(options: CsvSchemaOptions<C, T>): CsvSchema<T> {
    return new CsvSchema<T>(options);
  }

  deserialize(bytes: Uint8Array, start: number, end: number): T {
    const block = new DecodedBlock<T>();
    if (start < end) this.#decoder.decode(bytes.subarray(start, end), true, block);
    const bad = block.malformed[0];
    if (bad !== undefined) throw new Error(bad.column > 0 ? `${bad.message} (column ${bad.column})` : bad.message);
    if (block.values.length !== 1) throw new Error(`it holds ${block.values.length} rows, not one`);
    return block.values[0]!;
  }

  serialize(value: T): Uint8Array {
    return Buffer.from(this.#encode(value));
  }
}
