import { MillraceError, Types } from "@millrace/core";
import type { TypeInformation } from "@millrace/core";
import { toTimestamp } from "./csv-timestamp.js";

/**
 * What a CSV field may become:
 * `string`; `number` (finite decimal, `NaN` or `±Infinity` spelled so); `int` (up to ±2^53 − 1); `bigint`; `boolean` (`true`, `false`, `1`, `0`);
 * `date` (ISO 8601 or `yyyy-MM-dd[ HH:mm[:ss[.SSS]]]`, also with `/`, UTC unless it names an offset) as a `Date`; `timestamp` the same as epoch milliseconds.
 */
export type CsvColumnType = "string" | "number" | "int" | "bigint" | "boolean" | "date" | "timestamp";
/** A column: a type, a type that may be missing (`"int?"`: an empty field is `null`), or a function from the field's text that throws when it does not fit. */
export type CsvColumn = CsvColumnType | `${CsvColumnType}?` | ((text: string) => unknown);
/** The columns to read, by name. */
export type CsvColumns = Readonly<Record<string, CsvColumn>>;

interface CsvValues {
  string: string;
  number: number;
  int: number;
  bigint: bigint;
  boolean: boolean;
  date: Date;
  timestamp: number;
}
type CsvValue<K> = K extends keyof CsvValues ? CsvValues[K]
  : K extends `${infer N extends keyof CsvValues}?` ? CsvValues[N] | null
  : K extends (text: string) => infer R ? R : never;

/** The record type that belongs to a column declaration. */
export type CsvRecord<C extends CsvColumns> = { -readonly [K in keyof C]: CsvValue<C[K]> };

/** Turns the text of one field into its value; returns {@link DOES_NOT_FIT} when it cannot. */
export type FieldConverter = (text: string) => unknown;
export const DOES_NOT_FIT: unique symbol = Symbol("does not fit");

const converters: Readonly<Record<CsvColumnType, FieldConverter>> = {
  string: (text) => text,
  number: toNumber,
  int: toInt,
  bigint: (text) => (/^[+-]?\d+$/.test(text) ? BigInt(text.startsWith("+") ? text.slice(1) : text) : DOES_NOT_FIT),
  boolean: toBoolean,
  date: (text) => {
    const ms = toTimestamp(text);
    return ms === undefined ? DOES_NOT_FIT : new Date(ms);
  },
  timestamp: (text) => toTimestamp(text) ?? DOES_NOT_FIT,
};

const declaredTypes: Readonly<Record<CsvColumnType, TypeInformation<any>>> = {
  string: Types.string, number: Types.number, int: Types.number, bigint: Types.bigint, boolean: Types.boolean, date: Types.date, timestamp: Types.number,
};

/** @throws `OPTION_INVALID` for an unknown column type. */
export function converterOf(name: string, column: CsvColumn): FieldConverter {
  if (typeof column === "function") return column;
  const base = baseType(column);
  const convert = Object.hasOwn(converters, base) ? converters[base] : undefined;
  if (convert === undefined) {
    throw new MillraceError({
      code: "OPTION_INVALID", message: `column "${name}" has the unknown type "${column}"`,
      hint: `use one of ${Object.keys(converters).join(", ")}, one of these with a "?" for fields that may be empty, or a function`, location: { option: "columns" },
    });
  }
  return column.endsWith("?") ? (text) => (text === "" ? null : convert(text)) : convert;
}

/** What the column is called in messages: `an int`, `a number`. */
export function columnTypeName(column: CsvColumn): string {
  if (typeof column === "function") return "a value its function takes";
  const base = baseType(column);
  return `${base === "int" ? "an" : "a"} ${base}`;
}

/** The declared type of the records; `undefined` when a function makes a column, whose type cannot be known. */
export function recordType(columns: CsvColumns): TypeInformation<any> | undefined {
  const fields: Record<string, TypeInformation<any>> = {};
  for (const [name, column] of Object.entries(columns)) {
    if (typeof column === "function") return undefined;
    const type = declaredTypes[baseType(column)];
    fields[name] = column.endsWith("?") ? Types.nullable(type) : type;
  }
  return Types.object(fields);
}

function baseType(column: string): CsvColumnType {
  return (column.endsWith("?") ? column.slice(0, -1) : column) as CsvColumnType;
}

function toNumber(text: string): unknown {
  const length = text.length;
  const last = text.charCodeAt(length - 1);
  // `Number` also takes blanks, "" and 0x10; a decimal ends in a digit or a dot, and has no letter in second place.
  if (((last >= 48 && last <= 57) || last === 46) && text.charCodeAt(0) > 32 && (length === 1 || text.charCodeAt(1) <= 57 || isExponent(text.charCodeAt(1)))) {
    const value = Number(text);
    if (Number.isFinite(value)) return value;
  }
  if (text === "NaN") return Number.NaN;
  if (text === "Infinity" || text === "+Infinity") return Number.POSITIVE_INFINITY;
  return text === "-Infinity" ? Number.NEGATIVE_INFINITY : DOES_NOT_FIT;
}

function isExponent(code: number): boolean {
  return code === 69 || code === 101;
}

function toInt(text: string): unknown {
  const first = text.charCodeAt(0);
  const start = first === 45 || first === 43 ? 1 : 0;
  const length = text.length;
  if (length === start || length - start > 16) return DOES_NOT_FIT;
  let value = 0;
  for (let i = start; i < length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return DOES_NOT_FIT;
    value = value * 10 + digit;
  }
  if (value > Number.MAX_SAFE_INTEGER) return DOES_NOT_FIT;
  return first === 45 && value !== 0 ? -value : value;
}

function toBoolean(text: string): unknown {
  switch (text) {
    case "true": case "TRUE": case "True": case "1": return true;
    case "false": case "FALSE": case "False": case "0": return false;
    default: return DOES_NOT_FIT;
  }
}
