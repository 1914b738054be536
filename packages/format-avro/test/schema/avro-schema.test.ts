import assert from "node:assert/strict";
import { test } from "node:test";
import avsc from "avsc";
import fc from "fast-check";
import { AvroSchema } from "../../src/index.js";
import type { AvroDefinition, AvroValue } from "../../src/index.js";

function through<T>(schema: AvroSchema<T>, value: T): T {
  const bytes = schema.serialize(value);
  // As in a Kafka fetch: other messages around it.
  const around = Buffer.concat([Buffer.from("before"), bytes, Buffer.from("after")]);
  return schema.deserialize(around, 6, 6 + bytes.length);
}

const order = {
  type: "record", name: "Order", namespace: "shop",
  fields: [
    { name: "id", type: "long" },
    { name: "customer", type: ["null", "string"], default: null },
    { name: "amount", type: { type: "bytes", logicalType: "decimal", precision: 20, scale: 2 } },
    { name: "placed", type: { type: "long", logicalType: "timestamp-millis" } },
    { name: "shipped", type: ["null", { type: "long", logicalType: "timestamp-micros" }] },
    { name: "day", type: { type: "int", logicalType: "date" } },
    { name: "uuid", type: { type: "string", logicalType: "uuid" } },
    { name: "status", type: { type: "enum", name: "Status", symbols: ["OPEN", "DONE"] } },
    { name: "tags", type: { type: "array", items: "string" } },
    { name: "counts", type: { type: "map", values: "long" } },
    { name: "raw", type: "bytes" },
    { name: "hash", type: { type: "fixed", name: "Hash", size: 2 } },
  ],
} as const;

test("values of every kind come back exactly, typed by the schema", () => {
  const schema = AvroSchema.infer(order);
  const value: AvroValue<typeof order> = {
    id: 2n ** 63n - 1n, customer: null, amount: "-123456789012345678.90", placed: 1_700_000_000_123, shipped: 1_700_000_000_123_456n, day: "1969-12-31",
    uuid: "0a1b2c3d-0000-4000-8000-000000000001", status: "DONE", tags: ["a", "ß"], counts: { x: 9007199254740993n }, raw: new Uint8Array([0, 255]), hash: new Uint8Array([1, 2]),
  };
  assert.deepEqual(through(schema, value), value);
  assert.deepEqual(schema.producedType.schema, AvroSchema.of(JSON.stringify(order)).producedType.schema);
  const { fields } = schema.producedType.schema as { fields: Record<string, unknown> };
  assert.deepEqual([fields["id"], fields["customer"], fields["shipped"], fields["raw"]], [
    { kind: "bigint" }, { kind: "nullable", of: { kind: "string" } }, { kind: "nullable", of: { kind: "bigint" } }, { kind: "bytes" },
  ]);
});

test("what is written is what other Avro libraries write", () => {
  const plain = avsc.Type.forSchema({ type: "record", name: "P", fields: [{ name: "a", type: "long" }, { name: "b", type: "bytes" }, { name: "c", type: "int" }] });
  const ours = AvroSchema.of<unknown>({
    type: "record", name: "P",
    fields: [{ name: "a", type: "long" }, { name: "b", type: { type: "bytes", logicalType: "decimal", precision: 4, scale: 2 } }, { name: "c", type: { type: "int", logicalType: "date" } }],
  });
  assert.deepEqual(Buffer.from(ours.serialize({ a: -5n, b: "-1.28", c: "1970-01-03" })), plain.toBuffer({ a: -5, b: Buffer.from([0x80]), c: 2 }));
});

test("longs: bigint by default, or numbers that are never rounded", () => {
  const big = AvroSchema.of<bigint>("long");
  const numbers = AvroSchema.of<number>("long", { long: "number" });
  fc.assert(fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
    assert.equal(through(big, value), value);
    const bytes = big.serialize(value);
    if (BigInt(Number(value)) === value && Number.isSafeInteger(Number(value))) assert.equal(numbers.deserialize(bytes, 0, bytes.length), Number(value));
    else assert.throws(() => numbers.deserialize(bytes, 0, bytes.length), /precision loss/);
  }));
  assert.throws(() => numbers.serialize(2 ** 53), { code: "RECORD_NOT_ENCODABLE" });
  assert.throws(() => big.serialize(2n ** 63n), { code: "RECORD_NOT_ENCODABLE" });
});

test("logical types: micro- and nanoseconds exactly or as milliseconds, durations, uuids in bytes, decimals in fixed", () => {
  for (const [logicalType, unit] of [["timestamp-micros", 1000n], ["local-timestamp-nanos", 1_000_000n]] as const) {
    const exact = AvroSchema.of<bigint>({ type: "long", logicalType });
    const millis = AvroSchema.of<number>({ type: "long", logicalType }, { timestamps: "millis" });
    assert.equal(through(exact, -1n), -1n);
    const before1970 = exact.serialize(-1n);
    assert.equal(millis.deserialize(before1970, 0, before1970.length), -1);
    const written = millis.serialize(5);
    assert.equal(exact.deserialize(written, 0, written.length), 5n * unit);
  }
  const duration = { months: 1, days: 2, millis: 4_294_967_295 };
  assert.deepEqual(through(AvroSchema.of({ type: { type: "fixed", name: "D", size: 12, logicalType: "duration" } }), duration), duration);
  const uuid = "00112233-4455-6677-8899-aabbccddeeff";
  assert.equal(through(AvroSchema.of({ type: "fixed", name: "U", size: 16, logicalType: "uuid" }), uuid), uuid);
  const money = AvroSchema.of<string>({ type: "fixed", name: "M", size: 3, logicalType: "decimal", precision: 6, scale: 3 });
  for (const text of ["0.000", "-999.999", "123.400"]) assert.equal(through(money, text), text);
  assert.equal(through(money, 0.1 as never), "0.100");
  for (const bad of ["1000", "0.0001", "x", "", ".", Number.NaN]) assert.throws(() => money.serialize(bad as string), { code: "RECORD_NOT_ENCODABLE" }, String(bad));
});

test("unions: the branch is told by the value, or wrapped where values do not tell", () => {
  const clear = AvroSchema.of<unknown>(["null", "string", "long", "bytes", { type: "record", name: "R", fields: [{ name: "x", type: "int" }] }]);
  for (const value of [null, "a", 5n, { x: 1 }]) assert.deepEqual(through(clear, value), value);
  const wrapped = AvroSchema.of<unknown>(["int", "double"]);
  assert.deepEqual(through(wrapped, { double: 1 }), { double: 1 });
});

test("schema evolution: defaults, dropped and renamed fields, widened types; what cannot be read names both schemas", () => {
  const written: AvroDefinition = {
    type: "record", name: "V1", fields: [
      { name: "id", type: "int" }, { name: "gone", type: "string" }, { name: "old", type: "string" }, { name: "price", type: { type: "bytes", logicalType: "decimal", precision: 5, scale: 2 } },
      { name: "day", type: { type: "int", logicalType: "date" } },
    ],
  };
  const read: AvroDefinition = {
    type: "record", name: "V2", aliases: ["V1"], fields: [
      { name: "id", type: "long" }, { name: "renamed", type: "string", aliases: ["old"] }, { name: "added", type: "long", default: 7 },
      { name: "price", type: { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 } }, { name: "day", type: "int" }, { name: "note", type: ["null", "string"], default: null },
    ],
  };
  const bytes = AvroSchema.of<unknown>(written).serialize({ id: 1, gone: "x", old: "y", price: "12.30", day: "2024-02-29" });
  assert.deepEqual({ ...(AvroSchema.of<object>(read, { writerSchema: written }).deserialize(bytes, 0, bytes.length)) }, { id: 1n, renamed: "y", added: 7n, price: "12.30", day: 19_782, note: null });
  assert.throws(() => AvroSchema.of({ type: "record", name: "V1", fields: [{ name: "new", type: "string" }] }, { writerSchema: written }), { code: "SCHEMA_INCOMPATIBLE", message: /"gone".*asked for.*"new"/s });
  const otherScale: AvroDefinition = { type: "bytes", logicalType: "decimal", precision: 5, scale: 3 };
  assert.throws(() => AvroSchema.of(otherScale, { writerSchema: { type: "bytes", logicalType: "decimal", precision: 5, scale: 2 } }), { code: "SCHEMA_INCOMPATIBLE" });
});

test("bytes that do not fit, and records that do not", () => {
  const schema = AvroSchema.of<{ id: bigint; name: string }>({ type: "record", name: "R", fields: [{ name: "id", type: "long" }, { name: "name", type: "string" }] });
  const bytes = schema.serialize({ id: 1n, name: "abc" });
  assert.throws(() => schema.deserialize(bytes, 0, bytes.length - 1), /end too early/);
  assert.throws(() => schema.deserialize(Buffer.concat([bytes, Buffer.alloc(3)]), 0, bytes.length + 3), /3 bytes are left over/);
  assert.throws(() => schema.serialize({ id: 1 as never, name: "x" }), { code: "RECORD_NOT_ENCODABLE", message: /field "id" is 1, which is no long/ });
  assert.throws(() => schema.serialize({ id: 1n } as never), { code: "RECORD_NOT_ENCODABLE", message: /field "name" is undefined/ });
  assert.throws(() => AvroSchema.of({ type: "record", name: "R", fields: [{ name: "x", type: "nope" }] }), { code: "FORMAT_SCHEMA_INVALID", message: /nope/ });
  assert.throws(() => AvroSchema.of("{ not json"), { code: "FORMAT_SCHEMA_INVALID" });
});
