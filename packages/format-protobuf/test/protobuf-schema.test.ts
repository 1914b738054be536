import assert from "node:assert/strict";
import { test } from "node:test";
import protobuf from "protobufjs";
import "protobufjs/ext/descriptor.js";
import fc from "fast-check";
import { ProtobufSchema } from "../src/index.js";

const proto = `
  syntax = "proto3";
  package shop;
  import "google/protobuf/timestamp.proto";
  import "money.proto";
  enum Status { UNKNOWN = 0; OPEN = 1; DONE = 2; }
  message Order {
    int64 id = 1;
    optional int32 quantity = 2;
    Status status = 3;
    bytes raw = 4;
    map<string, Line> lines = 5;
    repeated uint64 codes = 6;
    oneof paid { string card_number = 7; bool cash = 8; }
    google.protobuf.Timestamp placed_at = 9;
    Money total = 10;
    double weight = 11;
    map<int64, string> names = 12;
    message Line { sint64 cents = 1; repeated Status history = 2; }
  }`;
const imports = { "money.proto": 'syntax = "proto3"; package shop; message Money { string currency = 1; fixed64 cents = 2; }' };
const options = { proto, imports, message: "shop.Order" };

function through(schema: ProtobufSchema<any>, value: unknown): unknown {
  const bytes = schema.serialize(value);
  const around = Buffer.concat([Buffer.from("xyz"), bytes, Buffer.from("xyz")]);
  const record: unknown = schema.deserialize(around, 3, 3 + bytes.length);
  around.fill(0);
  return record;
}

const long = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const status = fc.constantFrom("UNKNOWN", "OPEN", "DONE");
const object = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }, requiredKeys?: (keyof T)[]): fc.Arbitrary<unknown> => fc.record(fields, { noNullPrototype: true, ...(requiredKeys === undefined ? {} : { requiredKeys }) });
const order = object({
  id: long, quantity: fc.integer(), status, raw: fc.uint8Array({ maxLength: 5 }), codes: fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { maxLength: 3 }), weight: fc.double(),
  lines: fc.dictionary(fc.string().filter((key) => key !== "__proto__"), object({ cents: long, history: fc.array(status, { maxLength: 2 }) }), { maxKeys: 3, noNullPrototype: true }),
  placed_at: object({ seconds: long, nanos: fc.integer() }), total: object({ currency: fc.string(), cents: fc.bigInt(0n, 2n ** 64n - 1n) }),
  names: fc.dictionary(long.map(String), fc.string(), { maxKeys: 2, noNullPrototype: true }), card_number: fc.string(),
}, ["id", "status", "raw", "codes", "weight", "lines", "names"]);

test("messages of every kind come back exactly, by text and by descriptor", () => {
  const byText = ProtobufSchema.of<any>(options);
  const root = new protobuf.Root();
  root.addJSON(protobuf.common.get("google/protobuf/timestamp.proto")!.nested!);
  for (const text of [imports["money.proto"], proto]) protobuf.parse(text, root, { keepCase: true });
  root.resolveAll();
  const descriptor = (protobuf as unknown as { descriptor: { FileDescriptorSet: protobuf.Type } }).descriptor.FileDescriptorSet.encode(root.toDescriptor("proto3")).finish();
  const byDescriptor = ProtobufSchema.of<any>({ descriptor, message: "shop.Order" });
  fc.assert(fc.property(order, (value) => {
    assert.deepEqual(through(byText, value), value);
    assert.deepEqual(byDescriptor.serialize(value), byText.serialize(value));
    assert.deepEqual(through(byDescriptor, value), value);
  }), { numRuns: 60 });
});

test("what is missing: defaults where a field cannot say so, nothing where it can, an error where it is required", () => {
  const schema = ProtobufSchema.of<any>(options);
  assert.deepEqual(schema.deserialize(new Uint8Array(0), 0, 0), { id: 0n, status: "UNKNOWN", raw: new Uint8Array(0), lines: {}, codes: [], weight: 0, names: {} });
  const old = ProtobufSchema.of<any>({ proto: 'syntax = "proto2"; message M { required int32 a = 1; optional string b = 2 [default = "x"]; }', message: "M" });
  assert.deepEqual(through(old, { a: 5 }), { a: 5 });
  assert.throws(() => old.deserialize(new Uint8Array(0), 0, 0), /missing required 'a'/);
  assert.throws(() => old.serialize({ b: "y" }), { code: "RECORD_NOT_ENCODABLE", message: /field "a" is undefined, which is no int32, and is required/ });
});

test("enums and integers that are not known or too large", () => {
  const unknown = Uint8Array.from([0x18, 0x07]);
  assert.throws(() => ProtobufSchema.of(options).deserialize(unknown, 0, 2), /field "status" is 7, which Status does not have/);
  assert.equal(ProtobufSchema.of<any>({ ...options, unknownEnum: "number" }).deserialize(unknown, 0, 2).status, 7);
  const numbers = ProtobufSchema.of<any>({ ...options, long: "number" });
  assert.equal((through(numbers, { id: 5 }) as { id: number }).id, 5);
  const large = ProtobufSchema.of<any>(options).serialize({ id: 2n ** 60n });
  assert.throws(() => numbers.deserialize(large, 0, large.length), /field "id" is 1152921504606846976, which no number holds/);
});

test("records that do not fit are refused rather than changed", () => {
  const schema = ProtobufSchema.of<any>(options);
  const bad = (value: unknown, message: RegExp, hint?: string): void => assert.throws(() => schema.serialize(value), { code: "RECORD_NOT_ENCODABLE", message, ...(hint === undefined ? {} : { hint }) });
  bad({ status: "OPENED" }, /field "status" is "OPENED", which is no value of Status/);
  bad({ id: 1.5 }, /field "id" is 1.5, which is no int64/);
  bad({ id: 2n ** 63n }, /which is no int64/);
  bad({ quantity: 2 ** 31 }, /which is no int32/);
  bad({ codes: [-1n] }, /field "codes\[0\]" is -1n, which is no uint64/);
  bad({ lines: { a: { cents: "5" } } }, /field "lines\["a"\]\.cents"/);
  bad({ statuss: "OPEN" }, /no field "statuss"/, 'did you mean "status"?');
  bad({ card_number: "1", cash: true }, /card_number and cash are both there/);
  bad(5, /it is 5, which is no message Order/);
});

test("bytes that are no message", () => {
  const schema = ProtobufSchema.of<any>(options);
  const whole = schema.serialize({ id: 1n, total: { currency: "EUR" } });
  assert.throws(() => schema.deserialize(whole, 0, whole.length - 1));
  assert.throws(() => schema.deserialize(Uint8Array.from([0xff]), 0, 1));
});

test("Confluent's framing", () => {
  const first = ProtobufSchema.of<any>({ ...options, confluent: { schemaId: 258 } });
  const bytes = Buffer.from(first.serialize({ id: 1n }));
  assert.deepEqual([...bytes.subarray(0, 6)], [0, 0, 0, 1, 2, 0]);
  const inner = ProtobufSchema.of<any>({ ...options, message: "shop.Order.Line", confluent: { schemaId: 1, messageIndexes: [0, 200] } });
  assert.deepEqual(through(inner, { cents: -5n }), { cents: -5n, history: [] });
  assert.deepEqual([...Buffer.from(inner.serialize({ cents: 0n })).subarray(5)], [4, 0, 0x90, 3]);
  const reader = ProtobufSchema.of<any>({ ...options, confluent: true });
  assert.equal(reader.deserialize(bytes, 0, bytes.length).id, 1n);
  assert.throws(() => reader.serialize({ id: 1n }), { code: "OPTION_INVALID" });
  assert.throws(() => reader.deserialize(Uint8Array.from([1, 2, 3, 4, 5, 6]), 0, 6), /does not begin with a schema id/);
  assert.throws(() => reader.deserialize(Uint8Array.from([0, 0, 0, 0, 1, 0x80]), 0, 6), /ends within the indexes/);
});

test("definitions are checked", () => {
  assert.throws(() => ProtobufSchema.of({ ...options, message: "shop.Ordre" }), { code: "FORMAT_SCHEMA_INVALID", hint: 'did you mean "shop.Order"?' });
  assert.throws(() => ProtobufSchema.of({ proto, message: "shop.Order" }), { code: "FORMAT_SCHEMA_INVALID", message: /imports "money.proto", which is not there/ });
  assert.throws(() => ProtobufSchema.of({ proto: "message {", message: "M" }), { code: "FORMAT_SCHEMA_INVALID", message: /cannot be parsed/ });
  assert.throws(() => ProtobufSchema.of({ proto: 'syntax = "proto3"; message M { Nope x = 1; }', message: "M" }), { code: "FORMAT_SCHEMA_INVALID", message: /does not resolve/ });
  assert.throws(() => ProtobufSchema.of({ descriptor: Uint8Array.from([255, 255]), message: "M" }), { code: "FORMAT_SCHEMA_INVALID" });
});
