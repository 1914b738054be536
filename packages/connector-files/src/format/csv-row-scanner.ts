import type { CsvDialect } from "./csv-dialect.js";

const LF = 10;
const CR = 13;

/**
 * Splits text into CSV rows and rows into fields (RFC 4180), strictly: a quote inside an unquoted field, text after a closing quote and a quote that is
 * never closed are errors, each with its place. Our own, because no library on npm gives streaming, byte positions for recovery, the line and column of
 * every error and resynchronisation together, at the speed the source needs.
 *
 * After {@link scan}: `count` fields lie at `starts[i]`..`ends[i]`; `escaped[i]` is 1 where doubled quotes must be halved. Reused for all rows.
 */
export class CsvRowScanner {
  count: number = 0;
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly escaped: number[] = [];
  /** The row is a blank or comment line, and no record. */
  skipped: boolean = false;
  /** Newlines inside the row's quoted fields. */
  innerLines: number = 0;
  /** What is wrong with the row, and where; `undefined` when it is well formed. */
  error: string | undefined = undefined;
  errorAt: number = 0;
  private readonly delimiter: number;
  private readonly quote: number;
  private readonly comment: number;
  private readonly trim: boolean;
  private readonly multiline: boolean;

  constructor(dialect: CsvDialect) {
    this.delimiter = dialect.delimiter;
    this.quote = dialect.quote;
    this.comment = dialect.comment;
    this.trim = dialect.trim;
    this.multiline = dialect.quotedNewlines;
  }

  /** Scans the row at `from` and returns where the next one starts (`text.length` after the last). */
  scan(text: string, from: number): number {
    this.count = 0;
    this.innerLines = 0;
    this.error = undefined;
    const { delimiter, quote } = this;
    const length = text.length;
    let i = from;
    let c = text.charCodeAt(i);
    this.skipped = c === LF || c === this.comment || (c === CR && (i + 1 === length || text.charCodeAt(i + 1) === LF));
    if (this.skipped) return afterLine(text, from);
    for (;;) {
      if (c === quote && i < length) {
        i = this.quotedField(text, i);
        if (i < 0) return afterLine(text, from);
      } else {
        const start = i;
        while (i < length && c !== delimiter && c !== LF) {
          if (c === quote) this.fail("a quote inside an unquoted field (quote the field and double the quote)", i);
          c = text.charCodeAt(++i);
        }
        this.unquotedField(text, start, i);
      }
      if (i >= length) return length;
      if (text.charCodeAt(i) === LF) return i + 1;
      c = text.charCodeAt(++i);
    }
  }

  /** The value of a field of the row just scanned. */
  field(text: string, index: number): string {
    const raw = text.slice(this.starts[index], this.ends[index]);
    if (this.escaped[index] === 0) return raw;
    const quote = String.fromCharCode(this.quote);
    return raw.replaceAll(quote + quote, quote);
  }

  private unquotedField(text: string, start: number, end: number): void {
    if (end > start && text.charCodeAt(end - 1) === CR && (end === text.length || text.charCodeAt(end) === LF)) end--;
    if (this.trim) {
      while (start < end && isBlank(text.charCodeAt(start))) start++;
      while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
    }
    this.add(start, end, 0);
  }

  /** Scans from the opening quote to the delimiter or newline behind the closing one; -1 when the quote is not closed. */
  private quotedField(text: string, open: number): number {
    const { quote, delimiter } = this;
    const length = text.length;
    let escaped = 0;
    let i = open + 1;
    for (;;) {
      const c = text.charCodeAt(i);
      if (i >= length || (c === LF && !this.multiline)) {
        this.innerLines = 0;
        this.error = undefined;
        this.fail("a quote that is never closed", open);
        return -1;
      }
      if (c === LF) this.innerLines++;
      else if (c === quote) {
        if (text.charCodeAt(i + 1) !== quote || i + 1 >= length) break;
        escaped = 1;
        i++;
      }
      i++;
    }
    this.add(open + 1, i, escaped);
    i++;
    if (text.charCodeAt(i) === CR && (i + 1 >= length || text.charCodeAt(i + 1) === LF)) i++;
    if (i < length && text.charCodeAt(i) !== delimiter && text.charCodeAt(i) !== LF) {
      this.fail("text after a closing quote (a quote inside a quoted field is doubled)", i);
      while (i < length && text.charCodeAt(i) !== delimiter && text.charCodeAt(i) !== LF) i++;
    }
    return i;
  }

  private add(start: number, end: number, escaped: number): void {
    const at = this.count++;
    this.starts[at] = start;
    this.ends[at] = end;
    this.escaped[at] = escaped;
  }

  private fail(message: string, at: number): void {
    if (this.error !== undefined) return;
    this.error = message;
    this.errorAt = at;
  }
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

function afterLine(text: string, from: number): number {
  const at = text.indexOf("\n", from);
  return at < 0 ? text.length : at + 1;
}
