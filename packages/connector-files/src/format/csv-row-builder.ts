import { columnTypeName, converterOf, DOES_NOT_FIT } from "./csv-columns.js";
import type { CsvColumn, CsvColumns, FieldConverter } from "./csv-columns.js";
import { parseDecimal } from "./parse-decimal.js";
import { compilePlainRows, recordLiteral } from "./csv-plain-rows.js";
import type { PlainRows } from "./csv-plain-rows.js";
import type { CsvDialect } from "./csv-dialect.js";
import type { CsvRowScanner } from "./csv-row-scanner.js";
import { Invalid, validate } from "./standard-schema.js";
import type { StandardSchema } from "./standard-schema.js";

/** Columns that have a way around their converter. */
const OTHER = 0;
const STRING = 1;
const NUMBER = 2;
const INT = 3;

function kindOf(column: CsvColumn): number {
  if (column === "string") return STRING;
  return column === "number" || column === "number?" ? NUMBER : column === "int" || column === "int?" ? INT : OTHER;
}

/** Turns scanned rows into records. After `build` returned `undefined`: `message` and `fieldAt` say what does not fit. */
export class CsvRowBuilder<T> {
  /** Fields a row must have. */
  readonly width: number;
  /** A faster way for rows that are plain. */
  readonly plainRows: PlainRows | undefined;
  message: string = "";
  fieldAt: number = 0;
  private readonly columns: CsvColumns;
  private readonly order: readonly (string | undefined)[];
  private readonly names: readonly string[];
  /** Per column read: its position in the row. */
  private readonly positions: readonly number[];
  private readonly converters: readonly FieldConverter[];
  private readonly kinds: readonly number[];
  private readonly schema: StandardSchema<T> | undefined;
  private readonly assemble: (values: readonly unknown[]) => unknown;
  private readonly values: unknown[] = [];

  /** `order` names the file's columns; `undefined` for those that are not read. Records get their fields in the order of `columns`. */
  constructor(columns: CsvColumns, order: readonly (string | undefined)[], dialect: CsvDialect, schema: StandardSchema<T> | undefined) {
    this.columns = columns;
    this.plainRows = schema === undefined ? compilePlainRows(columns, order, dialect) : undefined;
    this.order = order;
    this.width = order.length;
    this.names = Object.keys(columns);
    this.positions = this.names.map((name) => order.indexOf(name));
    this.converters = this.names.map((name) => converterOf(name, columns[name]!));
    this.kinds = this.names.map((name) => kindOf(columns[name]!));
    this.schema = schema;
    this.assemble = compileAssembler(this.names);
  }

  build(text: string, row: CsvRowScanner): T | undefined {
    const { names, positions, converters, kinds, values } = this;
    for (let i = 0; i < names.length; i++) {
      const kind = kinds[i]!;
      if (kind >= NUMBER) {
        const at = positions[i]!;
        const number = parseDecimal(text, row.starts[at]!, row.ends[at]!, kind === INT);
        if (number !== undefined) {
          values[i] = number;
          continue;
        }
      }
      const field = row.field(text, positions[i]!);
      if (kind === STRING) {
        values[i] = field;
        continue;
      }
      let value: unknown;
      try {
        value = converters[i]!(field);
      } catch (error) {
        return this.refuse(positions[i]!, `column "${names[i]}": ${error instanceof Error ? error.message : String(error)}`);
      }
      if (value === DOES_NOT_FIT) {
        return this.refuse(positions[i]!, `${JSON.stringify(shorten(field))} is not ${columnTypeName(this.columns[names[i]!]!)} (column "${names[i]}")`);
      }
      values[i] = value;
    }
    const record = this.assemble(values);
    if (this.schema === undefined) return record as T;
    const result = validate(this.schema, record);
    return result instanceof Invalid ? this.refuse(Math.max(0, this.order.indexOf(result.field)), result.message) : result;
  }

  private refuse(fieldAt: number, message: string): undefined {
    this.fieldAt = fieldAt;
    this.message = message;
    return undefined;
  }
}

export function shorten(text: string, length = 80): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}

/** Generates an object literal: all records share one hidden class from the start, which a loop of keyed stores would have to find each time. */
function compileAssembler(names: readonly string[]): (values: readonly unknown[]) => unknown {
  return new Function("v", `return ${recordLiteral(names, (_, i) => `v[${i}]`)};`) as (values: readonly unknown[]) => unknown;
}
