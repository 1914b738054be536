import { lastRecordEnd } from "./csv-boundary.js";
import type { CsvDialect } from "./csv-dialect.js";
import type { CsvHeader } from "./csv-header.js";
import type { CsvRowBuilder } from "./csv-row-builder.js";
import { CsvRowScanner } from "./csv-row-scanner.js";
import type { DecodedBlock, DecoderContext, RecordDecoder } from "./record-format.js";
import { afterNewline, byteOrderMark, bytesAsText, invalidUtf8Column, strictText } from "./text.js";
import type { TextDecoding } from "./text.js";

const MAX_MISSES = 16;

/** Decodes the rows of one split of a CSV file. */
export class CsvDecoder<T> implements RecordDecoder<T> {
  readonly #dialect: CsvDialect;
  readonly #text: TextDecoding;
  readonly #builder: CsvRowBuilder<T> | undefined;
  readonly #scanner: CsvRowScanner;
  readonly start: { readonly byte: number; readonly lines: number } | undefined;
  #atFileStart: boolean;

  /** `builder` is only undefined for a file without any row. */
  constructor(context: DecoderContext, dialect: CsvDialect, text: TextDecoding, builder: CsvRowBuilder<T> | undefined, header: CsvHeader | undefined) {
    this.#dialect = dialect;
    this.#text = text;
    this.#builder = builder;
    this.#scanner = new CsvRowScanner(dialect);
    this.start = header === undefined ? undefined : { byte: header.endByte, lines: header.lines };
    this.#atFileStart = context.atFileStart && header === undefined;
  }

  decode(bytes: Uint8Array, final: boolean, block: DecodedBlock<T>): number {
    const from = this.#atFileStart ? byteOrderMark(bytes) : 0;
    // The mark would hide a quote at the start of the first field.
    const end = final ? bytes.length - from : lastRecordEnd(bytes.subarray(from), this.#dialect);
    if (end === 0) return final ? bytes.length : 0;
    this.#atFileStart = false;
    const to = from + end;
    const text = this.#text.decode(bytes, from, to);
    if (text === undefined) this.#rowsChecked(bytesAsText(bytes, from, to), block);
    else this.#rows(text, block);
    return to;
  }

  skipToRecord(bytes: Uint8Array): number {
    return afterNewline(bytes);
  }

  #rows(text: string, block: DecodedBlock<T>): void {
    const scanner = this.#scanner;
    const { values } = block;
    const plainRows = this.#builder?.plainRows;
    // Where plain rows are rare, looking for them is given up.
    let misses = 0;
    for (let at = 0; at < text.length; ) {
      if (plainRows !== undefined && misses < MAX_MISSES) {
        const count = values.length;
        at = plainRows(text, at, values);
        block.lines += values.length - count;
        misses = values.length - count > 1 ? 0 : misses + 1;
        if (at >= text.length) return;
      }
      const next = scanner.scan(text, at);
      if (!scanner.skipped) {
        const value = scanner.error === undefined && scanner.count === this.#builder!.width ? this.#builder!.build(text, scanner) : undefined;
        if (value === undefined) this.#malformed(text, at, next, block);
        else values.push(value);
      }
      block.lines += scanner.innerLines + (text.charCodeAt(next - 1) === 10 ? 1 : 0);
      at = next;
    }
  }

  /** The slow way, for a block with invalid UTF-8: rows are found in the bytes, and each is decoded on its own. */
  #rowsChecked(bytes: string, block: DecodedBlock<T>): void {
    const scanner = this.#scanner;
    for (let at = 0; at < bytes.length; ) {
      const next = scanner.scan(bytes, at);
      const row = bytes.slice(at, next);
      const text = strictText(row);
      if (text !== undefined) this.#rows(text, block);
      else {
        if (!scanner.skipped) {
          const lines = row.split("\n");
          const invalid = lines.findIndex((line) => strictText(line) === undefined);
          block.malformed.push({
            at: block.values.length, line: block.lines + invalid, column: invalidUtf8Column(lines[invalid]!),
            text: withoutLineEnd(Buffer.from(row, "latin1").toString("utf8")), message: "the row is not valid UTF-8",
          });
        }
        block.lines += scanner.innerLines + (row.endsWith("\n") ? 1 : 0);
      }
      at = next;
    }
  }

  #malformed(text: string, from: number, to: number, block: DecodedBlock<T>): void {
    const scanner = this.#scanner;
    const { width } = this.#builder!;
    let at: number;
    let message: string;
    if (scanner.error !== undefined) [at, message] = [scanner.errorAt, scanner.error];
    else if (scanner.count !== width) {
      at = scanner.count > width ? scanner.starts[width]! : scanner.ends[scanner.count - 1]!;
      message = `${scanner.count} field${scanner.count === 1 ? "" : "s"} where there should be ${width}`;
    } else [at, message] = [scanner.starts[this.#builder!.fieldAt]!, this.#builder!.message];
    const before = text.slice(from, at);
    block.malformed.push({
      at: block.values.length, line: block.lines + before.split("\n").length - 1, column: before.length - before.lastIndexOf("\n"),
      text: withoutLineEnd(text.slice(from, to)), message,
    });
  }
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, "");
}
