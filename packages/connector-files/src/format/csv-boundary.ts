import type { CsvDialect } from "./csv-dialect.js";
import { NEWLINE } from "./text.js";

/**
 * The end of the last whole record in `bytes`, which start at a record's start; 0 when there is none.
 *
 * A quote opens a quoted field only where a field starts, and there newlines belong to the field: the same rule as in `CsvRowScanner`, so that what is
 * cut off here is what is parsed there. Most blocks hold no quote at all and cost two native searches.
 */
export function lastRecordEnd(bytes: Uint8Array, dialect: CsvDialect): number {
  const { quote, delimiter, comment } = dialect;
  const firstQuote = dialect.quotedNewlines ? bytes.indexOf(quote) : -1;
  if (firstQuote < 0) return bytes.lastIndexOf(NEWLINE) + 1;
  let end = bytes.lastIndexOf(NEWLINE, firstQuote) + 1;
  let i = end;
  let atFieldStart = true;
  let atRowStart = true;
  const length = bytes.length;
  while (i < length) {
    const c = bytes[i++]!;
    if (c === quote && atFieldStart) {
      for (;;) {
        while (i < length && bytes[i] !== quote) i++;
        if (i >= length) return end;
        i++;
        if (bytes[i] !== quote) break;
        i++;
      }
      atFieldStart = atRowStart = false;
    } else if (c === NEWLINE) {
      end = i;
      atFieldStart = atRowStart = true;
    } else if (c === comment && atRowStart) {
      const newline = bytes.indexOf(NEWLINE, i);
      if (newline < 0) return end;
      i = newline;
    } else {
      atFieldStart = c === delimiter;
      atRowStart = false;
    }
  }
  return end;
}
