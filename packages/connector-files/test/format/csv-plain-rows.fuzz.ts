import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { csvDialect } from "../../src/format/csv-dialect.js";
import { compilePlainRows } from "../../src/format/csv-plain-rows.js";
import { CsvRowBuilder } from "../../src/format/csv-row-builder.js";
import { CsvRowScanner } from "../../src/format/csv-row-scanner.js";
import type { CsvColumns } from "../../src/format/csv-columns.js";

/** Every row that the fast way takes, the slow way takes, too, with the same record; and it stops only in front of a row or at the end of the lines. */
const types = ["string", "number", "int", "bigint", "boolean", "date", "timestamp", "string?", "number?", "int?", "boolean?"] as const;
const field = fc.oneof(
  fc.constantFrom("", "0", "-0", "007", "12.5", "-1.25", ".5", "5.", "1e3", "+4", "123456789012345", "1234567890123456", "0.1234567890123456", "9007199254740993", "true", "false", "TRUE", "tru", "truest",
    "2024-01-02", "2024-01-02T03:04:05Z", "NaN", "-", "abc", " x ", '"quoted"', '"a,b"', '"a""b"', '"a\nb"', 'a"b', "ü€😀", "a\r", "#"),
  fc.integer().map(String), fc.double({ noNaN: true }).map(String), fc.string({ maxLength: 6, unit: fc.constantFrom("a", "b", "1", ".", "-", ";", " ", "\r", "ü") }),
);
const table = fc.record({
  columns: fc.array(fc.constantFrom(...types), { minLength: 1, maxLength: 4 }),
  unread: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  delimiter: fc.constantFrom(",", ";", "\t", "|"),
  comment: fc.option(fc.constant("#"), { nil: undefined }),
  quote: fc.constantFrom(undefined, null, "'"),
  rows: fc.array(fc.tuple(fc.array(field, { minLength: 1, maxLength: 5 }), fc.constantFrom("\n", "\n", "\r\n")), { maxLength: 6 }),
  widths: fc.boolean(), lastEnds: fc.boolean(),
});

test("plain rows give the records that the scanner and the builder give", () => {
  let plain = 0;
  fc.assert(fc.property(table, ({ columns, unread, delimiter, comment, quote, rows, widths, lastEnds }) => {
    const dialect = csvDialect({ delimiter, ...(comment === undefined ? {} : { comment }), ...(quote === undefined ? {} : { quote }) });
    const order = columns.map((_, i) => (unread[i]! && i > 0 ? undefined : `c${i}`));
    const read: CsvColumns = Object.fromEntries(columns.flatMap((type, i) => (order[i] === undefined ? [] : [[`c${i}`, type]])));
    const lines = rows.map(([fields, end]) => (widths ? columns.map((_, i) => fields[i % fields.length]!) : fields).join(delimiter) + end);
    const text = lines.join("").slice(0, lastEnds ? undefined : -1);
    const plainRows = compilePlainRows(read, order, dialect)!;
    const builder = new CsvRowBuilder(read, order, dialect, undefined);
    const scanner = new CsvRowScanner(dialect);
    for (let at = 0; at < text.length; ) {
      const fast: unknown[] = [];
      const stop = plainRows(text, at, fast);
      const slow: unknown[] = [];
      while (at < stop) {
        at = scanner.scan(text, at);
        assert.equal(scanner.skipped, false);
        assert.deepEqual([scanner.error, scanner.count, scanner.innerLines], [undefined, order.length, 0]);
        slow.push(builder.build(text, scanner));
      }
      assert.equal(at, stop, "it stops between rows");
      assert.deepStrictEqual(fast, slow);
      plain += fast.length;
      if (at < text.length) at = scanner.scan(text, at);
    }
  }), { numRuns: 3000 });
  assert.ok(plain > 500, `${plain} plain rows`);
});

test("where a plain row cannot be told, there is no fast way", () => {
  assert.equal(compilePlainRows({ a: "int" }, ["a"], csvDialect({ trim: true })), undefined);
  assert.equal(compilePlainRows({ a: "int", b: "int" }, ["a", "b"], csvDialect({ delimiter: "." })), undefined);
  assert.equal(compilePlainRows({ a: (text) => text }, ["a"], csvDialect({})), undefined);
  const values: unknown[] = [];
  compilePlainRows({ __proto__: "int", "a b": "string" } as CsvColumns, ["a b"], csvDialect({}))?.("x\n", 0, values);
  assert.deepEqual(values, [{ "a b": "x" }]);
});
