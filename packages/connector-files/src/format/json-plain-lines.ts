import { recordLiteral } from "./csv-plain-rows.js";
import type { JsonShape } from "./json-shape.js";
import { POWERS_OF_TEN } from "./parse-decimal.js";

/**
 * Adds the records of plain lines from byte `from` on to `values`, and returns where it stopped: at the first line that is not plain, or at `to`.
 *
 * `bytes[to - 1]` is a newline; `text` has one character for each byte.
 */
export type PlainLines = (bytes: Uint8Array, text: string, from: number, to: number, values: unknown[]) => number;

/** Texts of a string's bytes that are not all ASCII, and of one with its quotes and escapes; `undefined` for what is left to the plain way of reading. */
export interface StringReader {
  readonly plain: (bytes: Uint8Array, from: number, to: number) => string | undefined;
  readonly escaped: (bytes: Uint8Array, from: number, to: number) => string | undefined;
}

/**
 * Compiles a reader of the lines that have a shape: an object with just these keys in this order, values of the kinds that were seen, white space nowhere but
 * behind colons and commas. Fields are unrolled, so that keys are compared byte by byte, numbers need no text, and every record is made by one literal.
 *
 * Of a plain line it makes the record that `JSON.parse` makes; all others, malformed ones among them, are left to that.
 *
 * @param keyBytes how a key's JSON text is written in the file
 */
export function compilePlainLines(shape: JsonShape, strings: StringReader, keyBytes: (text: string) => Uint8Array): PlainLines {
  const source = `return function plainLines(bytes, text, from, to, values) {
    let i = from;
    while (i < to) {
      const row = i;
      let start = 0, first = 0, digits = 0, scale = 0, high = 0, negative = false, escapes = false;
      let c = bytes[i];
      ${new LineCompiler(keyBytes).object(shape.fields!, "record")}
      if (c === 13) c = bytes[++i];
      if (c !== 10) return row;
      values.push(record);
      i++;
    }
    return i;
  };`;
  return new Function("strings", "powersOfTen", source)(strings, POWERS_OF_TEN) as PlainLines;
}

/*
 * Every piece of code begins with `c`, the byte at `i`, being the first of what it reads, and ends with both at the first byte behind it. Nothing plain has a
 * newline in it, so none of the loops can leave the bytes.
 */
class LineCompiler {
  readonly #keyBytes: (text: string) => Uint8Array;
  #variables: number = 0;

  constructor(keyBytes: (text: string) => Uint8Array) {
    this.#keyBytes = keyBytes;
  }

  object(fields: ReadonlyMap<string, JsonShape>, target: string): string {
    const names = [...fields.keys()];
    const parts = names.map((name, index) => {
      const value = this.#variable();
      const code = `
      if (c !== ${index === 0 ? "123" : "44"}) return row;
      c = bytes[++i];
      ${SPACES}
      ${this.#exactly(`${JSON.stringify(name)}:`)}
      ${SPACES}
      let ${value};
      ${this.#value(fields.get(name)!, value)}`;
      return { value, code };
    });
    return `${parts.map(({ code }) => code).join("\n")}
      ${names.length === 0 ? "if (c !== 123) return row; c = bytes[++i];" : ""}
      if (c !== 125) return row;
      c = bytes[++i];
      const ${target} = ${recordLiteral(names, (_, index) => parts[index]!.value)};`;
  }

  #value(shape: JsonShape, target: string): string {
    const { fields, element } = shape;
    const ways: string[] = [];
    if (shape.isString) ways.push(`if (c === 34) { ${readString(target)} }`);
    if (shape.isNull) ways.push(`if (c === 110) { ${this.#exactly("null")} ${target} = null; }`);
    if (shape.isBoolean) ways.push(`if (c === 116) { ${this.#exactly("true")} ${target} = true; }`, `if (c === 102) { ${this.#exactly("false")} ${target} = false; }`);
    if (fields !== undefined) {
      const inner = this.#variable();
      ways.push(`if (c === 123) { ${this.object(fields, inner)} ${target} = ${inner}; }`);
    }
    if (element !== undefined) ways.push(`if (c === 91) { ${this.#array(element, target)} }`);
    ways.push(shape.isNumber ? `{ ${readNumber(target)} }` : "return row;");
    return ways.join(" else ");
  }

  #array(element: JsonShape, target: string): string {
    const [list, one] = [this.#variable(), this.#variable()];
    return `
      const ${list} = [];
      c = bytes[++i];
      if (c === 93) c = bytes[++i];
      else for (;;) {
        let ${one};
        ${this.#value(element, one)}
        ${list}.push(${one});
        if (c === 93) { c = bytes[++i]; break; }
        if (c !== 44) return row;
        c = bytes[++i];
        ${SPACES}
      }
      ${target} = ${list};`;
  }

  #exactly(text: string): string {
    const bytes = [...this.#keyBytes(text)];
    return `if (!(${bytes.map((byte, at) => `${at === 0 ? "c" : `bytes[i + ${at}]`} === ${byte}`).join(" && ")})) return row; c = bytes[i += ${bytes.length}];`;
  }

  #variable(): string {
    return `v${this.#variables++}`;
  }
}

const SPACES = "while (c === 32) c = bytes[++i];";

function readString(target: string): string {
  return `
      start = ++i; high = 0; escapes = false;
      c = bytes[i];
      while (c !== 34) {
        if (c === 92) { escapes = true; c = bytes[++i]; }
        if (c < 32) return row;
        high |= c;
        c = bytes[++i];
      }
      ${target} = escapes ? strings.escaped(bytes, start - 1, i + 1) : high < 128 ? text.slice(start, i) : strings.plain(bytes, start, i);
      if (${target} === undefined) return row;
      c = bytes[++i];`;
}

/** Digits and power of ten are exact, so their quotient is rounded once, as `JSON.parse` rounds; where they would not be, it is left to `Number`. */
function readNumber(target: string): string {
  const moreDigits = "do { digits = digits * 10 + (c - 48); c = bytes[++i]; } while (c >= 48 && c <= 57);";
  return `
      start = i; digits = 0; scale = 0;
      negative = c === 45;
      if (negative) c = bytes[++i];
      if (c === 48) c = bytes[++i];
      else { if (!(c >= 49 && c <= 57)) return row; ${moreDigits} }
      if (c === 46) { c = bytes[first = ++i]; if (!(c >= 48 && c <= 57)) return row; ${moreDigits} scale = i - first; }
      if (c === 101 || c === 69) {
        c = bytes[++i];
        if (c === 43 || c === 45) c = bytes[++i];
        if (!(c >= 48 && c <= 57)) return row;
        do c = bytes[++i]; while (c >= 48 && c <= 57);
        ${target} = +text.slice(start, i);
      } else if (digits > ${Number.MAX_SAFE_INTEGER} || scale >= powersOfTen.length) ${target} = +text.slice(start, i);
      else ${target} = scale === 0 ? (negative ? -digits : digits) : (negative ? -digits : digits) / powersOfTen[scale];`;
}
