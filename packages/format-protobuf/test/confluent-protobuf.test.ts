import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryServer } from "../../schema-registry/test/support/registry-server.js";
import { ConfluentProtobufSchema, ProtobufSchema } from "../src/index.js";
import type { ConfluentProtobufOptions } from "../src/index.js";

const money = 'syntax = "proto3"; package shop; message Money { string currency = 1; Cents amount = 2; message Cents { int64 cents = 1; } }';
const proto = `
  syntax = "proto3";
  package shop;
  import "google/protobuf/timestamp.proto";
  import "shop/money.proto";
  message Customer { string name = 1; message Address { string town = 1; } enum Kind { NEW = 0; } map<string, int32> counts = 2; message Phone { string number = 1; } }
  enum Status { UNKNOWN = 0; }
  message Order { int64 id = 1; Money total = 2; google.protobuf.Timestamp at = 3; }`;
const imports = { "shop/money.proto": money };

async function withRegistry(use: (registry: RegistryServer, make: (options?: Partial<ConfluentProtobufOptions>) => ConfluentProtobufSchema<any>) => Promise<void>): Promise<void> {
  const registry = await RegistryServer.start();
  try {
    await use(registry, (options) => ConfluentProtobufSchema.of({ registry: { url: registry.url, retries: 1 }, topic: "orders", proto, imports, message: "shop.Order", ...options }));
  } finally {
    await registry.stop();
  }
}

/** As a source does it. */
async function read(schema: ConfluentProtobufSchema<any>, bytes: Uint8Array): Promise<unknown> {
  const around = Buffer.concat([Buffer.from("xyz"), bytes, Buffer.from("xyz")]);
  await schema.prepare(around, 3, 3 + bytes.length);
  assert.equal(schema.prepare(around, 3, 3 + bytes.length), undefined);
  return JSON.parse(JSON.stringify(schema.deserialize(around, 3, 3 + bytes.length), (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)));
}

const noDefinition = { proto: undefined, message: undefined } as never;

test("a writer registers its schema behind what it imports; readers with a definition and without one read it", () =>
  withRegistry(async (registry, make) => {
    const writer = make();
    await writer.open();
    await writer.open();
    assert.deepEqual(registry.requests, ["POST /subjects/shop%2Fmoney.proto/versions", "POST /subjects/shop%2Fmoney.proto", "POST /subjects/orders-value/versions"]);
    assert.deepEqual(registry.subjects.get("orders-value")![0]!.references, [{ name: "shop/money.proto", subject: "shop/money.proto", version: 1 }]);
    const bytes = Buffer.from(writer.serialize({ id: 7n, total: { currency: "EUR", amount: { cents: 250n } } }));
    // The second message of the text: one index, 1, as a zigzag varint.
    assert.deepEqual([...bytes.subarray(0, 9)], [0, 0, 0, 0, 2, 2, 2, 8, 7]);
    const record = { id: "7", total: { currency: "EUR", amount: { cents: "250" } } };
    assert.deepEqual(await read(make(), bytes), record);
    assert.deepEqual(await read(make(noDefinition), bytes), record);
    assert.deepEqual(await read(make({ ...(noDefinition as object), long: "number" }), bytes), { id: 7, total: { currency: "EUR", amount: { cents: 250 } } });
    // An older definition reads what a newer one wrote.
    assert.deepEqual(await read(make({ proto: 'syntax = "proto3"; package shop; message Order { int64 id = 1; }' }), bytes), { id: "7" });
    await make({ autoRegister: false }).open();
    await assert.rejects(make({ autoRegister: false, topic: "others" }).open(), { code: "SCHEMA_UNKNOWN" });
  }));

test("each message of a text has its place, which is Confluent's", () =>
  withRegistry(async (registry, make) => {
    const places: Record<string, number[]> = { "shop.Customer": [0], "shop.Order": [2, 2], "shop.Customer.Address": [4, 0, 0], "shop.Customer.Phone": [4, 0, 2] };
    for (const [message, place] of Object.entries(places)) {
      const writer = make({ message, subjectNameStrategy: "record-name" });
      await writer.open();
      assert.ok(registry.subjects.has(message));
      const bytes = writer.serialize({});
      assert.deepEqual([...bytes.subarray(5, 5 + place.length)], place, message);
      assert.equal(typeof (await read(make(noDefinition), bytes)), "object");
      // What the framing of an id that is known already says.
      const known = ProtobufSchema.of({ proto, imports, message, confluent: { schemaId: bytes[4]!, messageIndexes: message.endsWith("Phone") ? [0, 1] : message.endsWith("Address") ? [0, 0] : message.endsWith("Order") ? [1] : [0] } });
      assert.deepEqual(Buffer.from(known.serialize({})), Buffer.from(bytes));
    }
  }));

test("messages of another kind, places that a schema does not have and unknown ids are malformed", () =>
  withRegistry(async (registry, make) => {
    const customer = make({ message: "shop.Customer" });
    await customer.open();
    const bytes = customer.serialize({ name: "Ann" });
    const reader = make();
    await assert.rejects(read(reader, bytes), { code: "SCHEMA_INCOMPATIBLE", message: 'it is a "shop.Customer", not a "shop.Order"' });
    const id = bytes[4]!;
    await assert.rejects(read(make(noDefinition), Buffer.from([0, 0, 0, 0, id, 2, 18, 1])), { code: "SCHEMA_INCOMPATIBLE", message: /has no message at 9/ });
    await assert.rejects(read(make(noDefinition), Buffer.from([0, 0, 0, 0, id, 2, 1, 1])), { code: "SCHEMA_INCOMPATIBLE", message: /has no message at -1/ });
    await assert.rejects(read(reader, Buffer.from([0, 0, 0, 0, 99, 0, 1])), { code: "SCHEMA_UNKNOWN" });
    const avro = registry.add("a", { type: "string" });
    await assert.rejects(read(reader, Buffer.from([0, 0, 0, 0, avro, 0, 1])), { code: "SCHEMA_INCOMPATIBLE", message: /AVRO, not PROTOBUF/ });
    assert.throws(() => reader.deserialize(Buffer.from([1, 2, 3, 4, 5, 6]), 0, 6), /does not begin with a schema id/);
    assert.throws(() => make().serialize({}), { code: "FORMAT_CONTRACT" });
  }));

test("options that do not go together", () =>
  withRegistry(async (_, make) => {
    assert.throws(() => make({ message: undefined } as never), { code: "OPTION_INVALID" });
    assert.throws(() => make({ proto: undefined } as never), { code: "OPTION_INVALID" });
    assert.throws(() => make({ message: "shop.Money" }), { code: "FORMAT_SCHEMA_INVALID", message: /what the definition imports/ });
    assert.throws(() => make({ message: "shop.Ordre" }), { code: "FORMAT_SCHEMA_INVALID" });
    await assert.rejects(make(noDefinition).open(), { code: "OPTION_INVALID" });
    await assert.rejects(make({ topic: undefined } as never).open(), { code: "OPTION_INVALID" });
  }));
