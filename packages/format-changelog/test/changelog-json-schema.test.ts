import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ChangelogRow } from "@millrace/core";
import { CanalJson, DebeziumJson, MaxwellJson, OggJson } from "../src/index.js";
import type { ChangelogJsonSchema } from "../src/index.js";
import { parseExact, stringifyExact } from "../src/json/exact-json.js";

interface Row {
  readonly id: number | bigint;
  readonly name?: string | null;
  readonly weight?: number;
}
type AnySchema = ChangelogJsonSchema<any, any>;

function decode(schema: AnySchema, message: unknown): string[] {
  const text = typeof message === "string" ? message : JSON.stringify(message);
  const bytes = Buffer.from(`xx${text}yy`);
  const rows: string[] = [];
  schema.deserializeEach(bytes, 2, bytes.length - 2, ({ kind, row }: ChangelogRow<Row>) => rows.push(`${kind} ${stringifyExact(row)}`));
  return rows;
}
const after = { id: 1, name: "b" };
const before = { id: 1, name: "a" };

test("Debezium: insert, snapshot read, update, deletion; with and without the schema around it", () => {
  const schema = DebeziumJson.of<Row>();
  const source = { db: "shop", schema: "public", table: "t", ts_ms: 5, connector: "postgresql" };
  const wrap = (payload: unknown): unknown => ({ schema: { type: "struct" }, payload });
  for (const envelope of [(payload: unknown) => payload, wrap]) {
    for (const op of ["c", "r"]) assert.deepEqual(decode(schema, envelope({ before: null, after, op, source })), ['+I {"id":1,"name":"b"}']);
    assert.deepEqual(decode(schema, envelope({ before, after, op: "u", source })), ['-U {"id":1,"name":"a"}', '+U {"id":1,"name":"b"}']);
    assert.deepEqual(decode(schema, envelope({ before, after: null, op: "d", source })), ['-D {"id":1,"name":"a"}']);
    assert.deepEqual(decode(schema, envelope({ before: null, after: null, op: "t", source })), []);
  }
  const typed = DebeziumJson.of<Row, "source.table" | "source.timestamp" | "ingestion-timestamp" | "schema">({ metadata: ["source.table", "source.timestamp", "ingestion-timestamp", "schema"] });
  const bytes = Buffer.from(JSON.stringify(wrap({ before: null, after, op: "c", source, ts_ms: 7 })));
  const change = typed.deserialize(bytes, 0, bytes.length)!;
  assert.deepEqual(change, { kind: "+I", row: after, metadata: { "source.table": "t", "source.timestamp": 5, "ingestion-timestamp": 7, schema: '{"type":"struct"}' } });
  const table: string | undefined = change.metadata["source.table"];
  assert.equal(table, "t");
  assert.throws(() => decode(schema, { before: null, after, op: "u" }), /without the row's old content.*REPLICA IDENTITY FULL/);
  assert.throws(() => decode(schema, { before: null, after: null, op: "d" }), /deletion without/);
  assert.throws(() => decode(schema, { op: "z" }), /its "op" is "z", none of c, r, u, d/);
  assert.throws(() => decode(schema, { op: "c", after: 5 }), /"after" is 5, not a row/);
  assert.throws(() => decode(schema, {}), /"op" is missing/);
});

test("Canal: several rows in a message, changed fields only in the old row, schema changes, filters", () => {
  const schema = CanalJson.of<Row>({ databaseInclude: /shop|other/, tableInclude: /t\d/ });
  const base = { database: "shop", table: "t1", isDdl: false, ts: 9, es: 8, pkNames: ["id"], sqlType: { id: 4 } };
  assert.deepEqual(decode(schema, { ...base, type: "INSERT", data: [{ id: 1 }, { id: 2 }], old: null }), ['+I {"id":1}', '+I {"id":2}']);
  assert.deepEqual(
    decode(schema, { ...base, type: "UPDATE", data: [{ id: 1, name: "b", weight: 3 }, { id: 2, name: "x", weight: 4 }], old: [{ name: null }, { weight: 1 }] }),
    ['-U {"id":1,"name":null,"weight":3}', '+U {"id":1,"name":"b","weight":3}', '-U {"id":2,"name":"x","weight":1}', '+U {"id":2,"name":"x","weight":4}'],
  );
  assert.deepEqual(decode(schema, { ...base, type: "DELETE", data: [{ id: 1 }], old: null }), ['-D {"id":1}']);
  assert.deepEqual(decode(schema, { ...base, isDdl: true, type: "ALTER", data: null }), []);
  assert.deepEqual(decode(schema, { ...base, database: "shops", type: "INSERT", data: [{ id: 1 }] }), []);
  assert.deepEqual(decode(schema, { ...base, table: "x1", type: "INSERT", data: [{ id: 1 }] }), []);
  assert.throws(() => decode(schema, { ...base, type: "UPDATE", data: [{ id: 1 }], old: null }), /"old" is not as long/);
  assert.throws(() => decode(schema, { ...base, type: "INSERT", data: { id: 1 } }), /no array/);
  assert.throws(() => decode(schema, { ...base, type: "MERGE", data: [] }), /"type" is "MERGE"/);
  const two = Buffer.from(JSON.stringify({ ...base, type: "INSERT", data: [{ id: 1 }, { id: 2 }] }));
  assert.throws(() => schema.deserialize(two, 0, two.length), { code: "FORMAT_CONTRACT" });
  const withMetadata = CanalJson.of<Row, "pk-names" | "event-timestamp" | "sql-type">({ metadata: ["pk-names", "event-timestamp", "sql-type"] });
  const one = Buffer.from(JSON.stringify({ ...base, type: "INSERT", data: [{ id: 1 }] }));
  assert.deepEqual(withMetadata.deserialize(one, 0, one.length)!.metadata, { "pk-names": ["id"], "event-timestamp": 8, "sql-type": { id: 4 } });
});

test("Maxwell and GoldenGate", () => {
  const maxwell = MaxwellJson.of<Row>();
  const base = { database: "shop", table: "t", ts: 1, xid: 2, commit: true };
  for (const type of ["insert", "bootstrap-insert"]) assert.deepEqual(decode(maxwell, { ...base, type, data: after }), ['+I {"id":1,"name":"b"}']);
  assert.deepEqual(decode(maxwell, { ...base, type: "update", data: after, old: { name: "a" } }), ['-U {"id":1,"name":"a"}', '+U {"id":1,"name":"b"}']);
  assert.deepEqual(decode(maxwell, { ...base, type: "delete", data: after }), ['-D {"id":1,"name":"b"}']);
  for (const type of ["bootstrap-start", "table-alter", "database-create"]) assert.deepEqual(decode(maxwell, { ...base, type, data: {} }), []);
  assert.throws(() => decode(maxwell, { ...base, type: "x" }), /none of insert, update, delete/);
  const ogg = OggJson.of<Row, "table" | "primary-keys" | "event-timestamp">({ metadata: ["table", "primary-keys", "event-timestamp"] });
  assert.deepEqual(decode(ogg, { op_type: "I", after }), ['+I {"id":1,"name":"b"}']);
  assert.deepEqual(decode(ogg, { op_type: "U", before, after }), ['-U {"id":1,"name":"a"}', '+U {"id":1,"name":"b"}']);
  assert.deepEqual(decode(ogg, { op_type: "D", before }), ['-D {"id":1,"name":"a"}']);
  assert.deepEqual(decode(ogg, { op_type: "T" }), []);
  assert.throws(() => decode(ogg, { op_type: "U", after }), /without the row's old content/);
  const bytes = Buffer.from(JSON.stringify({ op_type: "I", after, table: "S.T", primary_keys: ["id"], op_ts: "2026-01-31 10:00:00" }));
  assert.deepEqual(ogg.deserialize(bytes, 0, bytes.length)!.metadata, { table: "S.T", "primary-keys": ["id"], "event-timestamp": "2026-01-31 10:00:00" });
});

test("what is written is read again as additions and deletions", () => {
  for (const schema of [DebeziumJson.of<Row>(), CanalJson.of<Row>(), MaxwellJson.of<Row>(), OggJson.of<Row>()]) {
    for (const [kind, read] of [["+I", "+I"], ["+U", "+I"], ["-U", "-D"], ["-D", "-D"]] as const) {
      const bytes = schema.serialize({ kind, row: { id: 2n ** 60n + 1n, name: "ß" } });
      assert.deepEqual(decode(schema, Buffer.from(bytes).toString()), [`${read} {"id":1152921504606846977,"name":"ß"}`], schema.name);
    }
  }
  assert.equal(Buffer.from(DebeziumJson.of<Row>().serialize({ kind: "-D", row: { id: 1 } })).toString(), '{"before":{"id":1},"after":null,"op":"d"}');
});

test("malformed messages throw before the first row; empty ones are left out; rows are checked", () => {
  const schema = DebeziumJson.of<Row>({ check: (row) => {
    if (typeof (row as Row).id !== "number") throw new Error("id is no number");
    return row as Row;
  } });
  assert.deepEqual(decode(schema, ""), []);
  assert.throws(() => decode(schema, "{"), SyntaxError);
  for (const bad of ["5", "[]", "null"]) assert.throws(() => decode(schema, bad), /no JSON object/);
  const seen: unknown[] = [];
  const half = Buffer.from(JSON.stringify({ op: "u", before, after: { id: "x" } }));
  assert.throws(() => schema.deserializeEach(half, 0, half.length, (row) => seen.push(row)), /id is no number/);
  assert.deepEqual(seen, []);
  assert.throws(() => CanalJson.of<Row, "tabel" & keyof object>({ metadata: ["tabel" as never] }), { code: "OPTION_INVALID", hint: 'did you mean "table"?' });
});

test("JSON keeps large integers", () => {
  assert.deepEqual(parseExact('{"a":9007199254740993,"b":[-12345678901234567890],"c":"9007199254740993","d":1.5e3,"e":1234567890123456,"f":0.125}'), {
    a: 9007199254740993n, b: [-12345678901234567890n], c: "9007199254740993", d: 1500, e: 1234567890123456, f: 0.125,
  });
  const value = fc.letrec((tie) => ({
    any: fc.oneof(fc.string(), fc.constantFrom("\u00010:5", "\u00011:7", '"\\'), fc.integer(), fc.bigInt(2n ** 53n, 2n ** 70n), fc.boolean(), fc.constant(null), fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(fc.string().filter((key) => key !== "__proto__"), tie("any"), { maxKeys: 3, noNullPrototype: true })),
  })).any;
  fc.assert(fc.property(value, (given) => {
    assert.deepEqual(parseExact(stringifyExact(given)), given);
  }));
});
