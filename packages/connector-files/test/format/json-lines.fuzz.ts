import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { JsonLinesDecoder, PlainLineReaders } from "../../src/format/json-lines-decoder.js";
import { JsonLineParser } from "../../src/format/json-lines-format.js";
import { compilePlainLines } from "../../src/format/json-plain-lines.js";
import { commonShape } from "../../src/format/json-shape.js";
import { LineDecoder } from "../../src/format/line-decoder.js";
import { DecodedBlock } from "../../src/format/record-format.js";
import type { DecoderContext, RecordDecoder } from "../../src/format/record-format.js";
import type { StandardSchema } from "../../src/format/standard-schema.js";
import { TextDecoding } from "../../src/format/text.js";
import type { TextOptions } from "../../src/format/text.js";

/**
 * However lines are read, records, malformed items, and the places of these are those of `JSON.parse` line by line: same values to the bit, keys in the same
 * order, and a malformed line spoils no other, also when it would be well formed together with its neighbours.
 */

/** Lines that are wrong, odd, or right only when joined with others. */
const oddLines = [
  "", " ", "\t", "{}", "[]", "null", "1", '"x"', "{", "}", "][", "1],[2", '{"a":1', '"b":2}', '{"a":1},{"a":2', '{"a":1},{"a":2}', '{"a":[{"b":1}', '{"c":2}]}', '{"a":1,}', '{"a":1,"a":2}', '{"a":01}', '{"a":-}',
  '{"a":1.}', '{"a":.5}', '{"a":+1}', '{"a":1e}', '{"a":NaN}', '{"a":1}x', '{"a":1} ', ' {"a":1}', '{"a" :1}', '{"a":1 }', "{'a':1}", '{"a":"\\x"}', '{"a":"\\u12"}', '{"a":"', '{"a":"\t"}', '{"a":"\\"}', '{"__proto__":1}',
  '{"__proto__":{"a":1},"a":1}', '{"2":1,"1":2}', '\uFEFF{"a":1}', '{"a":"\\ud800"}', '{"a":"\\ud83d\\ude00"}', '{"a":"😀é€"}', '{"\\u0061":1}', '{"a":tru}', '{"a":truee}', '{"a":nul}', '{"a":[1,]}', '{"a":[,1]}', '{"a":[1 ,2]}', '{"a":1}\r',
].map((line) => Buffer.from(line));
const invalid = [Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]), Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xe2, 0x82, 0x22, 0x7d]), Buffer.from([0xc3])];

const numberText = fc.oneof(
  fc.constantFrom("0", "-0", "-0.0", "1e400", "-1e400", "1E5", "1e-7", "0.1", "1.10", "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993", "12345678901234567890", "0.30000000000000004",
    "0.000000000000001", "0.0000000000000001", "123456.7890123456", "5e-324", "1.7976931348623157e308", "4503599627370497.5", "900719925474099.25"),
  fc.integer().map(String), fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)), fc.integer({ min: 0, max: 99999 }).map((n) => String(n / 100)),
);
const stringText = fc.oneof(
  fc.string({ maxLength: 20 }).map((text) => JSON.stringify(text)), fc.string({ unit: "grapheme", maxLength: 8 }).map((text) => JSON.stringify(text)),
  fc.constantFrom('""', '"a\\"b"', '"\\\\"', '"\\/"', '"\\u00e9"', '"\\ud800"', '"\\n"', '"\u007f"', '"][,{}:"', '"ü"', '"__proto__"', '"\\q"'),
);
const scalarText = fc.oneof(numberText, stringText, fc.constantFrom("true", "false", "null"));
const keys = fc.uniqueArray(fc.oneof({ weight: 4, arbitrary: fc.constantFrom("a", "b", "id", "sensor", "__proto__", "", "constructor", "ü", "k y", 'q"', "7") }, { weight: 1, arbitrary: fc.string({ maxLength: 3 }) }), { minLength: 1, maxLength: 4 });

interface Template {
  readonly parts: (string | fc.Arbitrary<string>)[];
}
/** An object's text with holes for values. */
const template: fc.Arbitrary<Template> = fc.letrec<{ value: (string | fc.Arbitrary<string>)[]; object: (string | fc.Arbitrary<string>)[] }>((tie) => ({
  value: fc.oneof({ maxDepth: 2 },
    fc.constantFrom<fc.Arbitrary<string>[]>([numberText], [stringText], [fc.constantFrom("true", "false")], [fc.oneof(stringText, fc.constant("null"))], [scalarText]),
    tie("object"),
    fc.constantFrom(numberText, stringText, scalarText).map((element) => [fc.array(element, { maxLength: 4 }).map((list) => `[${list.join(",")}]`)]),
  ),
  object: fc.tuple(keys, fc.constantFrom("", " "), fc.array(tie("value"), { minLength: 4, maxLength: 4 })).map(([names, space, values]) => [
    "{", ...names.flatMap((name, i) => [`${i === 0 ? "" : `,${space}`}${JSON.stringify(name)}:${space}`, ...values[i]!]), "}",
  ]),
})).object.map((parts) => ({ parts }));

const fileOf = ({ parts }: Template): fc.Arbitrary<Buffer> => {
  const line = fc.tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(part) : part))).map((texts) => texts.join(""));
  const mutated = fc.tuple(line, fc.nat(), fc.constantFrom("", ",", "}", "]", '"', ":", "0", "-", " ", "\\", "\r", "é")).map(([text, at, piece]) => {
    const i = at % (text.length + 1);
    return text.slice(0, i) + piece + text.slice(i + (piece === "" ? 1 : 0));
  });
  const any = fc.oneof({ weight: 8, arbitrary: line.map((text) => Buffer.from(text)) }, { weight: 2, arbitrary: mutated.map((text) => Buffer.from(text)) }, { weight: 2, arbitrary: fc.constantFrom(...oddLines) }, { weight: 1, arbitrary: fc.constantFrom(...invalid) });
  return fc.record({
    bom: fc.boolean(), first: fc.array(line, { minLength: 32, maxLength: 36 }), rest: fc.array(fc.tuple(any, fc.constantFrom("\n", "\n", "\n", "\r\n")), { maxLength: 30 }), ends: fc.boolean(),
  }).map(({ bom, first, rest, ends }) => {
    const bytes = Buffer.concat([Buffer.from(bom ? "\uFEFF" : ""), Buffer.from(first.map((text) => `${text}\n`).join("")), ...rest.flatMap(([text, end]) => [text, Buffer.from(end)])]);
    return ends ? bytes : bytes.subarray(0, -1);
  });
};

/** Refuses what has an `id`, and replaces the others. */
const schema: StandardSchema<unknown> = { "~standard": { version: 1, vendor: "test", validate: (value) => (value !== null && typeof value === "object" && "id" in value ? { issues: [{ message: "no ids" }] } : { value: { wrapped: value } }) } };
const context: DecoderContext = { path: "file", atFileStart: true, maxRecordBytes: 1e6, readHead: async () => new Uint8Array(0) };

function decodeAll(decoder: RecordDecoder<unknown>, bytes: Uint8Array, window: number): object {
  const result = { values: [] as unknown[], malformed: [] as object[], lines: 0 };
  for (let at = 0, size = window; at < bytes.length; ) {
    const final = at + size >= bytes.length;
    const block = new DecodedBlock<unknown>();
    const taken = decoder.decode(bytes.subarray(at, at + size), final, block);
    size = taken === 0 ? size * 2 : window;
    at += taken;
    result.malformed.push(...block.malformed.map((item) => ({ ...item, at: item.at + result.values.length, line: item.line + result.lines })));
    result.values.push(...block.values);
    result.lines += block.lines;
  }
  return { ...result, keyOrder: JSON.stringify(result.values) };
}

test("lines give what JSON.parse gives line by line", () => {
  const options = fc.constantFrom<TextOptions>({}, { invalidUtf8: "malformed" }, { encoding: "latin1" });
  fc.assert(fc.property(template.chain(fileOf), options, fc.boolean(), fc.constantFrom(1e6, 700, 60), (bytes, text, validates, window) => {
    const parser = new JsonLineParser<unknown>(validates ? schema : undefined);
    const fast = new JsonLinesDecoder<unknown>(context, text, new PlainLineReaders(new TextDecoding(text)), parser);
    const slow = new LineDecoder<unknown>(context, text, (lines, block, firstLine) => parser.lines(lines, block, firstLine));
    assert.deepStrictEqual(decodeAll(fast, bytes, window), decodeAll(slow, bytes, 1e6));
  }), { numRuns: 600 });
});

test("lines of the shape that was learnt are taken without JSON.parse", () => {
  const strings = { plain: (bytes: Uint8Array, from: number, to: number) => Buffer.from(bytes).toString("utf8", from, to), escaped: (bytes: Uint8Array, from: number, to: number) => JSON.parse(Buffer.from(bytes).toString("utf8", from, to)) as string };
  const lines = [
    '{"id":1,"at":"x","ok":true,"tags":["a"],"where":{"lat":1.5,"name":null},"none":[]}',
    '{"id": -0, "at": "é\\n", "ok": false, "tags": [], "where": {"lat": 1e400, "name": "n"}, "none": []}\r',
    '{"id":12345678901234567890,"at":"","ok":null,"tags":["a", "b"],"where":null,"none":[]}',
  ];
  const expected = lines.map((line) => JSON.parse(line) as unknown);
  const bytes = Buffer.from(`${lines.join("\n")}\n`);
  const values: unknown[] = [];
  const plain = compilePlainLines(commonShape(expected)!, strings, (text) => Buffer.from(text));
  assert.equal(plain(bytes, bytes.toString("latin1"), 0, bytes.length, values), bytes.length);
  assert.deepStrictEqual(values, expected);
});

test("no shape is common to values of many shapes, or to too large ones", () => {
  assert.equal(commonShape([{ a: 1 }, { b: 1 }, { c: 1 }]), undefined);
  assert.equal(commonShape([1, 2, { a: 1 }]), undefined);
  assert.equal(commonShape([{}, {}]), undefined);
  assert.equal(commonShape([Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, i]))]), undefined);
  assert.deepEqual([...commonShape([{ a: 1, b: { c: 1 } }, { a: "x", b: { d: 1 } }, { a: null, b: null }])!.fields!.values()], [
    { isNull: true, isNumber: true, isString: false, isBoolean: false, fields: undefined, element: undefined },
    { isNull: true, isNumber: false, isString: false, isBoolean: false, fields: new Map([["c", { isNull: false, isNumber: true, isString: false, isBoolean: false, fields: undefined, element: undefined }]]), element: undefined },
  ]);
});
