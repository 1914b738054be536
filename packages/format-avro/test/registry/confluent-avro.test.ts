import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "@millrace/core";
import { ConfluentAvroSchema } from "../../src/index.js";
import type { AvroDefinition, AvroNode, ConfluentAvroOptions } from "../../src/index.js";
import { RegistryServer } from "../../../schema-registry/test/support/registry-server.js";

interface Order {
  readonly id: bigint;
  readonly note?: string | null;
}
const v1: AvroDefinition = { type: "record", name: "Order", namespace: "shop", fields: [{ name: "id", type: "long" }] };
const v2: AvroDefinition = { ...(v1 as AvroNode), fields: [{ name: "id", type: "long" }, { name: "note", type: ["null", "string"], default: null }] } as AvroDefinition;

async function withRegistry(use: (registry: RegistryServer, make: (options?: Partial<ConfluentAvroOptions>) => ConfluentAvroSchema<Order>) => Promise<void>): Promise<void> {
  const registry = await RegistryServer.start();
  try {
    await use(registry, (options) => ConfluentAvroSchema.of<Order>({ registry: { url: registry.url, retries: 2 }, topic: "orders", schema: v1, ...options }));
  } finally {
    await registry.stop();
  }
}

/** As a source does it. */
async function read(schema: ConfluentAvroSchema<Order>, bytes: Uint8Array): Promise<Order> {
  await schema.prepare(bytes, 0, bytes.length);
  assert.equal(schema.prepare(bytes, 0, bytes.length), undefined);
  return schema.deserialize(bytes, 0, bytes.length);
}

test("a writer registers its schema once, readers fetch it once, and each reads the other's version", () =>
  withRegistry(async (registry, make) => {
    const old = make();
    await old.open();
    await old.open();
    const bytes = old.serialize({ id: 7n });
    assert.deepEqual([...bytes.subarray(0, 5)], [0, 0, 0, 0, 1]);
    const evolved = make({ schema: v2 });
    await evolved.open();
    const newer = Buffer.from(evolved.serialize({ id: 8n, note: "gift" }));
    assert.deepEqual({ ...(await read(make({ schema: v2 }), bytes)) }, { id: 7n, note: null });
    const reader = make();
    assert.deepEqual({ ...(await read(reader, newer)) }, { id: 8n });
    assert.deepEqual({ ...(await read(reader, newer)) }, { id: 8n });
    assert.deepEqual({ ...(await read(make({ schema: undefined } as never), newer)) }, { id: 8n, note: "gift" });
    assert.deepEqual([...registry.subjects.keys()], ["orders-value"]);
    assert.deepEqual(registry.requests, ["POST /subjects/orders-value/versions", "POST /subjects/orders-value/versions", "GET /schemas/ids/1", "GET /schemas/ids/2", "GET /schemas/ids/2"]);
  }));

test("subjects by strategy; without registering the schema must be there", () =>
  withRegistry(async (registry, make) => {
    for (const [options, subject] of [
      [{ isKey: true }, "orders-key"], [{ subjectNameStrategy: "record-name" }, "shop.Order"], [{ subjectNameStrategy: "topic-record-name" }, "orders-shop.Order"],
      [{ subjectNameStrategy: (topic: string | undefined) => `my/${topic}` }, "my/orders"],
    ] as const) {
      await assert.rejects(make({ ...options, autoRegister: false }).open(), { code: "SCHEMA_UNKNOWN", message: /not found/i });
      await make(options).open();
      assert.ok(registry.subjects.has(subject), subject);
      await make({ ...options, autoRegister: false }).open();
    }
    await assert.rejects(make({ topic: undefined } as never).open(), { code: "OPTION_INVALID" });
    await assert.rejects(make({ schema: undefined } as never).open(), { code: "OPTION_INVALID" });
  }));

test("an incompatible schema is refused by the registry, an unknown id and an unreadable schema are malformed messages", () =>
  withRegistry(async (registry, make) => {
    await make().open();
    await assert.rejects(make({ schema: { ...(v1 as AvroNode), fields: [{ name: "other", type: "string" }] } as AvroDefinition }).open(), { code: "SCHEMA_INCOMPATIBLE" });
    const unknown = Buffer.from([0, 0, 0, 0, 99, 2]);
    const reader = make();
    await assert.rejects(read(reader, unknown), { code: "SCHEMA_UNKNOWN", message: /the schema with id 99/ });
    await assert.rejects(read(reader, unknown), { code: "SCHEMA_UNKNOWN" });
    assert.equal(registry.requests.filter((request) => request.endsWith("/99")).length, 1);
    const proto = registry.add("p", "message X {}", { schemaType: "PROTOBUF" });
    await assert.rejects(read(reader, Buffer.from([0, 0, 0, 0, proto, 2])), { code: "SCHEMA_INCOMPATIBLE", message: /PROTOBUF/ });
    assert.throws(() => reader.deserialize(Buffer.from([1, 2, 3, 4, 5, 6]), 0, 6), /does not begin with a schema id/);
    assert.throws(() => reader.deserialize(Buffer.from([0, 0]), 0, 2), /does not begin with a schema id/);
    assert.throws(() => make().deserialize(unknown, 0, 6), { code: "FORMAT_CONTRACT" });
    assert.throws(() => make().serialize({ id: 1n }), { code: "FORMAT_CONTRACT" });
  }));

test("schemas that refer to others", () =>
  withRegistry(async (registry, make) => {
    registry.add("customer", { type: "record", name: "Customer", namespace: "shop", fields: [{ name: "name", type: "string" }] });
    const id = registry.add("orders-value", { type: "record", name: "Order", namespace: "shop", fields: [{ name: "id", type: "long" }, { name: "by", type: "shop.Customer" }] },
      { references: [{ name: "shop.Customer", subject: "customer", version: 1 }] });
    const bytes = Buffer.from([0, 0, 0, 0, id, 4, 6, ...Buffer.from("Ann")]);
    assert.deepEqual({ ...(await read(make(), bytes)) }, { id: 2n });
    assert.deepEqual(JSON.parse(JSON.stringify(await read(make({ schema: undefined, long: "number" } as never), bytes))), { id: 2, by: { name: "Ann" } });
  }));

test("faults are tried again, other addresses are tried; rights are not", () =>
  withRegistry(async (registry, make) => {
    registry.faults.push("drop", 503);
    await make().open();
    registry.faults.push(500, 500, 500);
    await assert.rejects(make().open(), { code: "SCHEMA_REGISTRY_UNAVAILABLE", recovery: "restart", message: /tried 3 times: it answered 500/ });
    await make({ registry: { url: ["http://127.0.0.1:1", registry.url], retries: 0 } }).open();
    await assert.rejects(make({ registry: { url: "http://127.0.0.1:1", retries: 0 } }).open(), { code: "SCHEMA_REGISTRY_UNAVAILABLE" });
    // What failed is asked again.
    const reader = make();
    registry.faults.push(500, 500, 500);
    await assert.rejects(read(reader, Buffer.from([0, 0, 0, 0, 1, 2])), { code: "SCHEMA_REGISTRY_UNAVAILABLE" });
    assert.deepEqual({ ...(await read(reader, Buffer.from([0, 0, 0, 0, 1, 2]))) }, { id: 1n });

    registry.authorization = `Basic ${Buffer.from("ann:s3cret").toString("base64")}`;
    await assert.rejects(make().open(), { code: "SCHEMA_REGISTRY_REFUSED" });
    await make({ registry: { url: registry.url, basicAuth: { username: "ann", password: new Secret("s3cret") } } }).open();
    registry.authorization = "Bearer t0ken";
    await make({ registry: { url: `${registry.url}/`, bearerToken: "t0ken" } }).open();
    for (const bad of [{ url: "x" }, { url: [] }, { url: "http://ann:x@h" }, { url: registry.url, retries: -1 }]) assert.throws(() => make({ registry: bad }), { code: "OPTION_INVALID" });
  }));
