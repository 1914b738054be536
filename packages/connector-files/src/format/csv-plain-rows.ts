import { converterOf, DOES_NOT_FIT } from "./csv-columns.js";
import type { CsvColumn, CsvColumns, FieldConverter } from "./csv-columns.js";
import type { CsvDialect } from "./csv-dialect.js";
import { POWERS_OF_TEN } from "./parse-decimal.js";

/** Adds the plain rows of `text` from `from` on to `values`, and returns where it stopped: at the first row that is not plain, or behind the last newline. */
export type PlainRows = (text: string, from: number, values: unknown[]) => number;

/**
 * Compiles a reader of plain rows: as wide as they should be, ended by a newline, without quotes, with each field in its type's usual spelling. Scanning and
 * converting are one pass over the characters, with the columns unrolled, so that a number needs neither positions nor a string.
 *
 * Rows that are not plain are left to {@link CsvRowScanner} and {@link CsvRowBuilder}, which know all spellings and every error; of a plain row both make the
 * same record. `undefined` where no row can be told to be plain: fields are trimmed, delimiters look like values, or a function makes a field (it may throw, which must name the place).
 *
 * @param order the file's columns; `undefined` for those that are not read
 */
export function compilePlainRows(columns: CsvColumns, order: readonly (string | undefined)[], dialect: CsvDialect): PlainRows | undefined {
  if (dialect.trim || [dialect.delimiter, dialect.quote].some((code) => /[\w.+-]/.test(String.fromCharCode(code))) || Object.values(columns).some((column) => typeof column === "function")) return undefined;
  const converters: FieldConverter[] = [];
  const useConverter = (name: string): number => converters.push(converterOf(name, columns[name]!)) - 1;
  const last = order.length - 1;
  const steps = order.map((name, index) => `
      ${name === undefined ? skipField(dialect) : readField(columns[name]!, `v${index}`, dialect, () => useConverter(name))}
      ${index === last ? "if (c === 13) c = text.charCodeAt(++i);" : ""}
      if (c !== ${index === last ? LF : dialect.delimiter}) return row;
      c = text.charCodeAt(++i);`);
  const source = `return function plainRows(text, from, values) {
    const limit = text.lastIndexOf("\\n");
    let i = from;
    while (i <= limit) {
      const row = i;
      let start = 0, digit = 0, digits = 0, negative = false;
      let c = text.charCodeAt(i);
      if (c === ${LF} || c === ${CR} || c === ${dialect.comment}) return row;
      ${steps.join("\n")}
      values.push(${recordLiteral(Object.keys(columns), (name) => `v${order.indexOf(name)}`)});
    }
    return i;
  };`;
  return new Function("converters", "powersOfTen", "misfit", source)(converters, POWERS_OF_TEN, DOES_NOT_FIT) as PlainRows;
}

/** The text of an object literal with these fields. */
export function recordLiteral(names: readonly string[], valueOf: (name: string, index: number) => string): string {
  // A computed key, so that a column called "__proto__" is a field like any other.
  return `{ ${names.map((name, i) => `${name === "__proto__" ? `[${JSON.stringify(name)}]` : JSON.stringify(name)}: ${valueOf(name, i)}`).join(", ")} }`;
}

const LF = 10;
const CR = 13;
/** A double holds so many digits without error. */
const MAX_DIGITS = 15;

/*
 * Every piece of code below begins with `c`, the character at `i`, being the field's first, and ends with both at the first character behind the field.
 * A newline ends the text, so none of the loops can leave it.
 */

function readField(column: CsvColumn, value: string, dialect: CsvDialect, useConverter: () => number): string {
  if (column === "int" || column === "number") return readNumber(value, column === "int");
  if (column === "boolean") return readBoolean(value);
  const text = `text.slice(start, c === ${LF} && i > start && text.charCodeAt(i - 1) === ${CR} ? i - 1 : i)`;
  const slice = `start = i; ${skipField(dialect)}`;
  if (column === "string") return `${slice} const ${value} = ${text};`;
  return `${slice} const ${value} = converters[${useConverter()}](${text}); if (${value} === misfit) return row;`;
}

function skipField({ delimiter, quote }: CsvDialect): string {
  return `while (c !== ${delimiter} && c !== ${LF}) { if (c === ${quote}) return row; c = text.charCodeAt(++i); }`;
}

/** The same number as `parseDecimal`: digits and power of ten are exact, so their quotient is rounded once. */
function readNumber(value: string, isInt: boolean): string {
  const moreDigits = "while ((digit = c - 48) >= 0 && digit <= 9) { digits = digits * 10 + digit; c = text.charCodeAt(++i); }";
  const fraction = `let ${value}Scale = 0; if (c === 46) { c = text.charCodeAt(++i); start++; ${value}Scale = i; ${moreDigits} ${value}Scale = i - ${value}Scale; }`;
  return `
      negative = c === 45;
      if (negative) c = text.charCodeAt(++i);
      start = i; digits = 0;
      if (c < 48 || c > 57) return row;
      ${moreDigits}
      ${isInt ? "" : fraction}
      if (i - start > ${MAX_DIGITS}) return row;
      const ${value} = ${isInt ? "negative && digits !== 0 ? -digits : digits" : `${value}Scale === 0 ? (negative ? -digits : digits) : (negative ? -digits : digits) / powersOfTen[${value}Scale]`};`;
}

function readBoolean(value: string): string {
  const spells = (word: string): string => [...word].map((letter, at) => `${at === 0 ? "c" : `text.charCodeAt(i + ${at})`} === ${letter.charCodeAt(0)}`).join(" && ");
  return `
      const ${value} = ${spells("true")};
      if (!${value} && !(${spells("false")})) return row;
      i += ${value} ? 4 : 5;
      c = text.charCodeAt(i);`;
}
