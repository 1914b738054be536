import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { evenBounds, JdbcNumericBetweenParametersProvider } from "../src/source/parameter-values.js";
import { nameBase, nameOf, parseName } from "../src/sink/transaction-names.js";
import { encoderOf } from "../src/types/encoder.js";
import { exactJsonText, isExactNumber, parseExactJson } from "../src/types/exact-json.js";
import { typeSettings } from "../src/types/jdbc-type-options.js";
import { dateOfDays, daysOf, microsOf, millisText, timestampText } from "../src/types/time-text.js";

test("days and dates, as Date has them", () => {
  fc.assert(fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), (days) => {
    const { year, month, day } = dateOfDays(days);
    const date = new Date(days * 86_400_000);
    assert.deepEqual([year, month, day], [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]);
    assert.equal(daysOf(year, month, day), days);
  }));
});

test("microseconds and their text", () => {
  fc.assert(fc.property(fc.bigInt({ min: -70_000_000_000_000_000n, max: 250_000_000_000_000_000n }), (micros) => assert.equal(microsOf(timestampText(micros)), micros)));
  assert.equal(timestampText(-1n), "1969-12-31T23:59:59.999999");
  assert.throws(() => microsOf("0000-00-00 00:00:00"), /no point in time/);
});

test("JSON whose numbers doubles hold, and no other", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => assert.deepEqual(parseExactJson(JSON.stringify(value)), JSON.parse(JSON.stringify(value)))));
  for (const text of ["9007199254740993", "0.1000000000000000055", "1e400", "12345678901234567890"]) assert.throws(() => parseExactJson(`{"a": [${text}]}`), /does not fit a double/, text);
  assert.deepEqual(parseExactJson('["12345678901234567890", "\\"9007199254740993", 100000000000000000000, 1.50, 0.0000001]'), ["12345678901234567890", '"9007199254740993', 1e20, 1.5, 1e-7]);
  for (const value of [Number.NaN, { a: Infinity }, [undefined], { a: 1n }, new Map(), { a: [new Set()] }, () => 1, undefined, [-0]]) assert.throws(() => exactJsonText(value), /JSON/);
  assert.equal(exactJsonText({ a: undefined, at: new Date(0) }), '{"at":"1970-01-01T00:00:00.000Z"}');
  assert.ok(isExactNumber("1.10") && isExactNumber("-0.5e1") && !isExactNumber("0.30000000000000000001"));
});

test("digits that a decimal has no room for", () => {
  const encode = encoderOf({ kind: "decimal", name: "numeric", scale: 2 }, typeSettings());
  for (const text of ["1", "1.5", "1.500", "-0.01", "12e3", "1.234e1", "0.000"]) assert.equal(encode(text), text);
  for (const text of ["0.001", "1.234", "1e-3", "1.2e-2"]) assert.throws(() => encode(text), /2 digits/, text);
  assert.throws(() => encode("1,5"), /no decimal/);
});

test("ranges follow one another without gap, from the first number to the last", () => {
  fc.assert(fc.property(fc.bigInt(-1000n, 1000n), fc.bigInt(0n, 2000n), fc.integer({ min: 1, max: 50 }), (min, span, count) => {
    const bounds = evenBounds(min, min + span, count);
    assert.equal(bounds[0], min);
    assert.equal(bounds.at(-1), min + span + 1n);
    for (let i = 1; i < bounds.length; i++) assert.ok(bounds[i]! > bounds[i - 1]!);
  }));
  assert.deepEqual(new JdbcNumericBetweenParametersProvider(0, 9).ofBatchSize(4).getParameterValues(), [[0n, 2n], [3n, 5n], [6n, 9n]]);
});

test("names of transactions say whose they are", () => {
  const base = nameBase("my_job", { operatorId: "0123456789abcdef" });
  const name = nameOf(base, { jobId: "fedcba9876543210" }, { subtask: 3, checkpoint: 12, epoch: 40 });
  assert.equal(name, "my_job_01234567_fedcba98_3_12_40");
  assert.deepEqual(parseName(base, name), { subtask: 3, checkpoint: 12, epoch: 40 });
  for (const other of ["my_job_01234567_x", "my_01234567_fedcba98_3_12_40", "my_job_01234567_a_b_3_12_40", `${name}_5`]) assert.equal(parseName(base, other), undefined);
});

test("milliseconds have the text of their microseconds", () => {
  const near = fc.tuple(fc.constantFrom(-62_135_596_800_000, -1, 0, 1_700_000_000_000, 253_402_300_799_999), fc.integer({ min: -100_000, max: 100_000 })).map(([ms, more]) => ms + more);
  fc.assert(fc.property(fc.oneof(near, fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 })), (ms) => {
    const text = timestampText(BigInt(ms) * 1000n);
    assert.equal(millisText(ms), /^\d{4}-/.test(text) && !text.endsWith("BC") ? text.replace("T", " ") : undefined);
  }));
  for (const ms of [Number.NaN, Number.POSITIVE_INFINITY, 0.5, -62_135_596_800_001, 253_402_300_800_000]) assert.equal(millisText(ms), undefined);
});
