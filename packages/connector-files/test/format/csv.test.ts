import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lastRecordEnd } from "../../src/format/csv-boundary.js";
import { converterOf, DOES_NOT_FIT } from "../../src/format/csv-columns.js";
import type { CsvColumn } from "../../src/format/csv-columns.js";
import { csvDialect } from "../../src/format/csv-dialect.js";
import type { CsvDialectOptions } from "../../src/format/csv-dialect.js";
import { parseDecimal } from "../../src/format/parse-decimal.js";
import { CsvRowScanner } from "../../src/format/csv-row-scanner.js";

/** Rows as arrays of fields; malformed ones as `message@offset`. */
function parse(text: string, options: CsvDialectOptions = {}): (string[] | string)[] {
  const scanner = new CsvRowScanner(csvDialect(options));
  const rows: (string[] | string)[] = [];
  for (let at = 0; at < text.length; ) {
    const next = scanner.scan(text, at);
    if (!scanner.skipped) rows.push(scanner.error === undefined ? Array.from({ length: scanner.count }, (_, i) => scanner.field(text, i)) : `${scanner.error.split(" (")[0]}@${scanner.errorAt}`);
    at = next;
  }
  return rows;
}

test("fields, quotes, line ends", () => {
  assert.deepEqual(parse("a,b\nc,d"), [["a", "b"], ["c", "d"]]);
  assert.deepEqual(parse("a,b\r\nc,\r\n"), [["a", "b"], ["c", ""]]);
  assert.deepEqual(parse(",\n,"), [["", ""], ["", ""]]);
  assert.deepEqual(parse('"a,""x""\r\n\n",b\r\n"",""'), [['a,"x"\r\n\n', "b"], ["", ""]]);
  assert.deepEqual(parse('"a"\r'), [["a"]]);
  assert.deepEqual(parse("a\rb,c\n"), [["a\rb", "c"]]);
  assert.deepEqual(parse("\n\r\na\n\r"), [["a"]]);
  assert.deepEqual(parse('""\n'), [[""]]);
  assert.deepEqual(parse(" a , \"b\n", { trim: true, quote: null }), [["a", '"b']]);
  assert.deepEqual(parse("#,\"x\na;'b;''c'\n#", { comment: "#", delimiter: ";", quote: "'" }), [["a", "b;'c"]]);
});

test("malformed rows do not take the next ones with them", () => {
  assert.deepEqual(parse('a"b,c\nd,e\n'), ["a quote inside an unquoted field@1", ["d", "e"]]);
  assert.deepEqual(parse('"a"b,"c\n"\nd\n'), ["text after a closing quote@3", ["d"]]);
  assert.deepEqual(parse('x,"a\nb,c\n'), ["a quote that is never closed@2", ["b", "c"]]);
  assert.deepEqual(parse('x,"a\nb",c\n', { quotedNewlines: false }), ["a quote that is never closed@2", "a quote inside an unquoted field@6"]);
  assert.deepEqual(parse('"'), ["a quote that is never closed@0"]);
});

test("a dialect is checked", () => {
  for (const bad of [{ delimiter: "ab" }, { delimiter: "\n" }, { quote: "é" }, { delimiter: '"' }, { comment: "," }]) {
    assert.throws(() => csvDialect(bad), { code: "OPTION_INVALID" }, JSON.stringify(bad));
  }
});

test("record boundaries in bytes are where the scanner sees them", () => {
  const piece = fc.constantFrom("a", '"', ",", "\n", "\r\n", "#", "é", '""', ',"', '"\n');
  fc.assert(fc.property(fc.array(piece, { maxLength: 25 }), fc.boolean(), (pieces, comments) => {
    const text = pieces.join("");
    const dialect = csvDialect(comments ? { comment: "#" } : {});
    const scanner = new CsvRowScanner(dialect);
    let expected = 0;
    for (let at = 0; at < text.length; ) {
      const next = scanner.scan(text, at);
      if (scanner.error === "a quote that is never closed" || text[next - 1] !== "\n") break;
      expected = at = next;
    }
    assert.equal(lastRecordEnd(Buffer.from(text), dialect), Buffer.byteLength(text.slice(0, expected)));
  }), { numRuns: 2000, verbose: 1 });
});

test("column types take what fits and nothing else", () => {
  const cases: [CsvColumn, Record<string, unknown>, string[]][] = [
    ["int", { "0": 0, "-0": 0, "+7": 7, "2147483648": 2 ** 31, "9007199254740991": 2 ** 53 - 1, "-9007199254740991": 1 - 2 ** 53 }, ["", "-", "1.0", " 1", "1e3", "0x1", "9007199254740992", "1_0"]],
    ["number", { "1.5": 1.5, "-0": -0, ".5": 0.5, "5.": 5, "1e3": 1000, "-1E-3": -0.001, "007": 7, NaN: Number.NaN, "-Infinity": Number.NEGATIVE_INFINITY }, ["", " 1", "1 ", "0x10", "0b1", "1e", "1e999", "1,5", "inf", "."]],
    ["bigint", { "9007199254740993": 9007199254740993n, "+5": 5n }, ["", "1.0", "5n", " 5"]],
    ["boolean", { true: true, TRUE: true, "0": false }, ["", "yes", "tRUE"]],
    ["timestamp", {
      "2024-02-29": Date.UTC(2024, 1, 29), "2001/01/10 18:20": Date.UTC(2001, 0, 10, 18, 20), "2024-01-01T00:00:00.1234Z": Date.UTC(2024, 0, 1) + 123,
      "2024-01-01 01:00+01:00": Date.UTC(2024, 0, 1), "0001-01-01": -62135596800000, "2024-01-01 00:00:01,5-0130": Date.UTC(2024, 0, 1, 1, 30, 1, 500), "1700000000000": 1700000000000,
    }, ["", "2023-02-29", "2024-13-01", "2024-01-01T24:00", "2024-1-1", "20240101", "2024-01/01", "tomorrow", "2024-01-01 1:00", "2024-01-01T10", "2024-01-01T10:00:", "2024-01-01T10:00:00.", "2024-01-01T10:00+1", "2024-01-01T10:00Zx", "12345678"]],
    ["int?", { "": null, "5": 5 }, ["x"]],
  ];
  for (const [type, good, bad] of cases) {
    const convert = converterOf("c", type);
    for (const [text, value] of Object.entries(good)) assert.deepEqual(convert(text), value, `${String(type)} ${text}`);
    for (const text of bad) assert.equal(convert(text), DOES_NOT_FIT, `${String(type)} "${text}"`);
  }
  assert.deepEqual(converterOf("c", "date")("2024-01-01"), new Date("2024-01-01"));
});

test("time stamps agree with Date for every kind of day", () => {
  fc.assert(fc.property(fc.date({ min: new Date("0000-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true }), (date) => {
    assert.equal(converterOf("c", "timestamp")(date.toISOString()), date.getTime());
  }), { numRuns: 1000, verbose: 1 });
});

test("the short way to a number gives what the long way gives, or nothing", () => {
  const texts = fc.oneof(
    fc.double().map(String), fc.integer().map(String), fc.maxSafeInteger().map(String), fc.string({ unit: fc.constantFrom(..."0123456789.-+e "), maxLength: 18 }),
    fc.tuple(fc.integer({ min: -99999999, max: 99999999 }), fc.nat({ max: 8 })).map(([n, k]) => (n / 10 ** k).toFixed(k)),
  );
  fc.assert(fc.property(texts, fc.boolean(), (text, integer) => {
    const short = parseDecimal(`x${text}y`, 1, text.length + 1, integer);
    if (short !== undefined) assert.ok(Object.is(short, converterOf("c", integer ? "int" : "number")(text)), text);
  }), { numRuns: 5000, verbose: 1 });
  assert.equal(parseDecimal("-12.50", 0, 6, false), -12.5);
});
