import { MillraceError } from "@millrace/core";

/** How a CSV file is written. */
export interface CsvDialectOptions {
  /** One ASCII character. Default `","`. */
  readonly delimiter?: string;
  /** One ASCII character, doubled inside quoted fields; `null`: quotes mean nothing. Default `'"'`. */
  readonly quote?: string | null;
  /** One ASCII character; lines that start with it are skipped. Default none. */
  readonly comment?: string;
  /** Removes blanks around unquoted fields. Default false. */
  readonly trim?: boolean;
  /** Whether quoted fields may hold newlines (RFC 4180). Default true. Say false when they never do: then large files are split and read in parallel. */
  readonly quotedNewlines?: boolean;
}

/** The same, checked, as character codes; -1 is none. */
export interface CsvDialect {
  readonly delimiter: number;
  readonly quote: number;
  readonly comment: number;
  readonly trim: boolean;
  readonly quotedNewlines: boolean;
}

/** @throws `OPTION_INVALID` for characters that are not one ASCII character each, line ends, or equal to each other. */
export function csvDialect(options: CsvDialectOptions): CsvDialect {
  const dialect: CsvDialect = {
    delimiter: code("delimiter", options.delimiter ?? ","),
    quote: options.quote === null ? -1 : code("quote", options.quote ?? '"'),
    comment: options.comment === undefined ? -1 : code("comment", options.comment),
    trim: options.trim ?? false,
    quotedNewlines: (options.quotedNewlines ?? true) && options.quote !== null,
  };
  const used = [dialect.delimiter, dialect.quote, dialect.comment].filter((c) => c >= 0);
  if (new Set(used).size !== used.length) throw invalid("delimiter", "delimiter, quote and comment must be different characters");
  return dialect;
}

function code(option: string, text: string): number {
  const value = text.length === 1 ? text.charCodeAt(0) : -1;
  if (value < 1 || value > 126 || value === 10 || value === 13) throw invalid(option, `the CSV ${option} must be one ASCII character, not ${JSON.stringify(text)}`);
  return value;
}

function invalid(option: string, message: string): MillraceError {
  return new MillraceError({ code: "OPTION_INVALID", message, location: { option } });
}
