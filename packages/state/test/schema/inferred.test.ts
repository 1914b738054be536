import assert from "node:assert/strict";
import { test } from "node:test";
import { Types, type TypeInformation } from "@millrace/core";
import { describeSchema } from "../../src/schema/compatibility.js";
import { resolveInferred } from "../../src/schema/inferred.js";

const read = (type: TypeInformation<any>, value: unknown): unknown => resolveInferred(type.schema, (inferred) => new Error(describeSchema(inferred)))(value);

test("values that fit a type are read as it", () => {
  const pairs: [TypeInformation<any>, unknown][] = [
    [Types.number, 1.5], [Types.int, 3], [Types.double, 3], [Types.double, -0], [Types.string, ""], [Types.boolean, false], [Types.bigint, 1n], [Types.date, new Date(0)],
    [Types.bytes, new Uint8Array(2)], [Types.optional(Types.int), undefined], [Types.nullable(Types.int), null], [Types.nullable(Types.int), 4],
    [Types.array(Types.int), []], [Types.array(Types.nullable(Types.string)), ["a", null]], [Types.set(Types.int), new Set([1, 2])],
    [Types.map(Types.string, Types.double), new Map([["a", 1], ["b", 0.5]])], [Types.tuple(Types.string, Types.int), ["a", 1]],
    [Types.object({ id: Types.string, at: Types.optional(Types.date) }), { id: "a" }], [Types.object({ any: Types.any }), { any: () => 1 }],
  ];
  for (const [type, value] of pairs) assert.deepEqual(read(type, value), value);
});

test("objects are migrated as if their type had been declared", () => {
  const type = Types.object({ count: Types.double, note: Types.nullable(Types.string) });
  assert.deepEqual(read(type, { count: 1, gone: { deep: [1, "x"] } }), { count: 1, note: null });
});

test("values that do not fit are refused with their type", () => {
  const pairs: [TypeInformation<any>, unknown, RegExp][] = [
    [Types.string, 1, /^int$/], [Types.int, 1.5, /^double$/], [Types.int, -0, /^double$/], [Types.string, { count: 1 }, /^\{ count: int \}$/], [Types.int, undefined, /^undefined$/],
    [Types.array(Types.int), [1, "x"], /^array<string>$/], [Types.tuple(Types.int), [1, 2], /^\[int, any\]$/], [Types.object({ id: Types.string }), {}, /^\{  \}$/],
    [Types.map(Types.string, Types.int), new Map([["a", "b"]]), /^map<string, string>$/],
  ];
  for (const [type, value, message] of pairs) assert.throws(() => read(type, value), { message });
});
