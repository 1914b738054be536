import { MillraceError, OutputTag } from "@millrace/core";
import type { MalformedItem } from "../format/record-format.js";

/** A record that could not be read: where it is and why. Line and column are one-based; column 0 is unknown. */
export interface MalformedRecord {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
  readonly message: string;
}

/** The side output of a source with `onError: "side-output"`. */
export const MALFORMED_RECORDS: OutputTag<MalformedRecord> = new OutputTag<MalformedRecord>("malformed-records");

/** `linesBefore` are the newlines before the item's block. */
export function malformedRecord(file: string, item: MalformedItem, linesBefore: number): MalformedRecord {
  return { file, line: linesBefore + item.line + 1, column: item.column, text: item.text, message: item.message };
}

/** The error of a record that could not be read: `RECORD_MALFORMED`, with file, line, column and the start of the record. */
export function malformedError(record: MalformedRecord, format: string): MillraceError {
  const column = record.column > 0 ? `, column ${record.column}` : "";
  const text = record.text.length > 200 ? `${record.text.slice(0, 200)}…` : record.text;
  return new MillraceError({
    code: "RECORD_MALFORMED",
    message: `malformed ${format} record in ${record.file}, line ${record.line}${column}: ${record.message}; the record is: ${text}`,
    hint: 'correct the file, or choose onError: "skip" or onError: "side-output"',
    location: { file: record.file, line: record.line, ...(record.column > 0 ? { column: record.column } : {}) },
  });
}

/** The error of a record beyond the limit: `RECORD_TOO_LARGE`. */
export function tooLargeError(file: string, line: number, limitBytes: number, format: string): MillraceError {
  return new MillraceError({
    code: "RECORD_TOO_LARGE",
    message: `the ${format} record at line ${line} of ${file} is longer than ${limitBytes} bytes`,
    hint: "raise maxRecordBytes; if no record is that long, look for a quote that is never closed, or a file that is not text",
    location: { file, line },
  });
}
