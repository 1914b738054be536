import { Types, type TypeInformation } from "@millrace/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { describeSchema, resolveSchema } from "../../src/schema/compatibility.js";

const resolve = (written: TypeInformation<any>, read: TypeInformation<any>): ReturnType<typeof resolveSchema> => resolveSchema(written.schema, read.schema);
const change = (written: TypeInformation<any>, read: TypeInformation<any>, value: unknown): unknown => {
  const migration = resolve(written, read);
  assert.equal(typeof migration, "function");
  return (migration as (value: unknown) => unknown)(value);
};

test("equal, wider and undeclared types need no change", () => {
  const pairs: [TypeInformation<any>, TypeInformation<any>][] = [
    [Types.string, Types.string],
    [Types.int, Types.double],
    [Types.int, Types.number],
    [Types.double, Types.number],
    [Types.any, Types.bigint],
    [Types.bytes, Types.any],
    [Types.string, Types.optional(Types.string)],
    [Types.string, Types.nullable(Types.optional(Types.string))],
    [Types.array(Types.int), Types.array(Types.double)],
    [Types.object({ a: Types.int }), Types.object({ a: Types.double, b: Types.optional(Types.string) })],
    [Types.map(Types.string, Types.int), Types.map(Types.string, Types.number)],
    [Types.tuple(Types.int, Types.string), Types.tuple(Types.double, Types.string)],
  ];
  for (const [written, read] of pairs) assert.equal(resolve(written, read), "same", `${describeSchema(written.schema)} -> ${describeSchema(read.schema)}`);
});

test("what could not be read is refused", () => {
  const pairs: [TypeInformation<any>, TypeInformation<any>][] = [
    [Types.string, Types.int],
    [Types.double, Types.int],
    [Types.number, Types.bigint],
    [Types.optional(Types.string), Types.string],
    [Types.nullable(Types.string), Types.optional(Types.string)],
    [Types.array(Types.string), Types.set(Types.string)],
    [Types.array(Types.string), Types.array(Types.int)],
    [Types.object({ a: Types.int }), Types.object({ a: Types.int, b: Types.string })],
    [Types.object({ a: Types.int }), Types.object({ a: Types.string })],
    [Types.object({ a: Types.int }), Types.map(Types.string, Types.int)],
    [Types.map(Types.int, Types.int), Types.map(Types.string, Types.int)],
    [Types.tuple(Types.int), Types.tuple(Types.int, Types.int)],
    [Types.date, Types.double],
  ];
  for (const [written, read] of pairs) assert.equal(resolve(written, read), undefined, `${describeSchema(written.schema)} -> ${describeSchema(read.schema)}`);
});

test("fields that went are dropped, new nullable ones are null, at any depth", () => {
  const written = Types.object({ id: Types.int, old: Types.string, inner: Types.array(Types.object({ x: Types.int, y: Types.int })) });
  const read = Types.object({ inner: Types.array(Types.object({ y: Types.int })), id: Types.double, added: Types.nullable(Types.string) });
  assert.deepEqual(change(written, read, { id: 1, old: "o", inner: [{ x: 1, y: 2 }] }), { id: 1, inner: [{ y: 2 }], added: null });
  const wrap = (type: TypeInformation<any>): TypeInformation<any> => Types.map(Types.string, Types.nullable(Types.tuple(Types.int, type)));
  const from = wrap(Types.object({ a: Types.int, b: Types.int }));
  const value = new Map([["k", [1, { a: 1, b: 2 }]], ["n", null]]);
  assert.deepEqual(change(from, wrap(Types.object({ b: Types.int })), value), new Map([["k", [1, { b: 2 }]], ["n", null]]));
});

test("schemas are described in one line", () => {
  const type = Types.map(Types.string, Types.tuple(Types.int, Types.optional(Types.array(Types.object({ a: Types.nullable(Types.bigint) })))));
  assert.equal(describeSchema(type.schema), "map<string, [int, optional<array<{ a: nullable<bigint> }>>]>");
});
