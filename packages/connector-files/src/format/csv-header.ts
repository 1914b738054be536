import { MillraceError, didYouMean } from "@millrace/core";
import { lastRecordEnd } from "./csv-boundary.js";
import type { CsvColumns } from "./csv-columns.js";
import type { CsvDialect } from "./csv-dialect.js";
import { CsvRowScanner } from "./csv-row-scanner.js";
import type { DecoderContext } from "./record-format.js";
import { tooLargeError } from "../source/malformed-record.js";
import { byteOrderMark } from "./text.js";
import type { TextDecoding } from "./text.js";

const FIRST_READ_BYTES = 16 * 1024;

/** The first row of a file: its names, and where the data begins. */
export class CsvHeader {
  readonly path: string;
  readonly names: readonly string[];
  /** Offset of the first byte behind the header (and the blank and comment lines before it). */
  readonly endByte: number;
  /** Newlines up to there. */
  readonly lines: number;

  constructor(path: string, names: readonly string[], endByte: number, lines: number) {
    this.path = path;
    this.names = names;
    this.endByte = endByte;
    this.lines = lines;
  }

  /**
   * The names of the file's columns in order, `undefined` for those that are not read.
   * @throws `CSV_HEADER_MISMATCH` naming every missing (and unknown) column with the nearest right one; also for a name that is there twice and read.
   */
  match(columns: CsvColumns, declared: boolean, unknownColumns: "ignore" | "fail"): (string | undefined)[] {
    const wanted = Object.keys(columns);
    const missing = wanted.filter((name) => !this.names.includes(name));
    const unknown = this.names.filter((name) => !Object.hasOwn(columns, name));
    if (missing.length > 0 || (unknown.length > 0 && unknownColumns === "fail")) throw this.#mismatch(missing, unknown, wanted);
    const twice = this.names.find((name, i) => Object.hasOwn(columns, name) && this.names.indexOf(name) !== i);
    if (twice !== undefined) throw this.#error(`names the column "${twice}" twice`, "rename one of them");
    return this.names.map((name) => (!declared || Object.hasOwn(columns, name) ? name : undefined));
  }

  #mismatch(missing: readonly string[], unknown: readonly string[], wanted: readonly string[]): MillraceError {
    const list = (names: readonly string[], others: readonly string[]): string =>
      names.map((name) => {
        const hint = didYouMean(name, others);
        return hint === "" ? `"${name}"` : `"${name}" (${hint})`;
      }).join(", ");
    const parts = [
      ...(missing.length === 0 ? [] : [`lacks the column${missing.length > 1 ? "s" : ""} ${list(missing, unknown)}`]),
      ...(unknown.length === 0 ? [] : [`has the column${unknown.length > 1 ? "s" : ""} ${list(unknown, missing)} that ${unknown.length > 1 ? "are" : "is"} not declared`]),
    ];
    return this.#error(parts.join(" and "), `declared: ${wanted.join(", ")}; in the file: ${this.names.join(", ")}`);
  }

  #error(what: string, hint: string): MillraceError {
    return new MillraceError({ code: "CSV_HEADER_MISMATCH", message: `the header of ${this.path} ${what}`, hint, location: { file: this.path, line: this.lines } });
  }
}

/** Reads a file's header, whichever part of the file the split is; `undefined` for a file without any row. */
export async function readCsvHeader(context: DecoderContext, dialect: CsvDialect, text: TextDecoding): Promise<CsvHeader | undefined> {
  for (let size = FIRST_READ_BYTES; ; size *= 4) {
    const bytes = await context.readHead(size);
    const whole = bytes.length < size;
    if (whole || bytes.length >= context.maxRecordBytes || lastRecordEnd(bytes, dialect) > 0) {
      const end = whole ? bytes.length : lastRecordEnd(bytes, dialect);
      const header = parseHeader(bytes, end, context.path, dialect, text);
      if (header !== undefined || whole) return header;
      if (bytes.length >= context.maxRecordBytes) throw tooLargeError(context.path, 1, context.maxRecordBytes, "CSV header");
    }
  }
}

function parseHeader(bytes: Uint8Array, end: number, path: string, dialect: CsvDialect, decoding: TextDecoding): CsvHeader | undefined {
  const start = byteOrderMark(bytes);
  const text = decoding.decode(bytes, start, end) ?? Buffer.from(bytes.subarray(start, end)).toString("utf8");
  const scanner = new CsvRowScanner(dialect);
  let lines = 0;
  for (let at = 0; at < text.length; ) {
    const next = scanner.scan(text, at);
    const row = text.slice(at, next);
    lines += scanner.innerLines + (row.endsWith("\n") ? 1 : 0);
    if (!scanner.skipped) {
      if (scanner.error !== undefined) {
        const column = scanner.errorAt - text.lastIndexOf("\n", scanner.errorAt - 1);
        throw new MillraceError({
          code: "RECORD_MALFORMED", message: `the CSV header of ${path} is malformed: ${scanner.error}`, location: { file: path, line: lines, column },
        });
      }
      const names = Array.from({ length: scanner.count }, (_, i) => scanner.field(text, i).trim());
      return new CsvHeader(path, names, endOfRow(bytes, start, lines, end), lines);
    }
    at = next;
  }
  return undefined;
}

/** The byte behind the `lines`-th newline: found by counting, since invalid characters change the length of the decoded text. */
function endOfRow(bytes: Uint8Array, start: number, lines: number, end: number): number {
  let at = start;
  for (let i = 0; i < lines; i++) at = bytes.indexOf(10, at) + 1;
  return lines === 0 || bytes[at - 1] !== 10 ? end : at;
}

/** All columns of a header, as strings. */
export function columnsOfHeader(names: readonly string[]): CsvColumns {
  return Object.fromEntries(names.map((name) => [name, "string"]));
}
