import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileRows } from "../src/read/compile-rows.js";
import { compileFilter } from "../src/read/parquet-filter.js";
import { RowGroupBlock } from "../src/read/row-group-block.js";
import { valueReader } from "../src/read/value-reader.js";
import { nodesOf } from "../src/schema/parquet-node.js";

/** Rows pass for which every predicate holds by its definition, and records have the columns in their order. */
const values = fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.option(fc.constantFrom(-1.5, 0, 2, Number.NaN)), fc.option(fc.constantFrom("", "a", "b"))), { maxLength: 30 });
const bounds = <V>(value: fc.Arbitrary<V>) => fc.record({ eq: value, gt: value, gte: value, lt: value, lte: value, in: fc.array(value, { maxLength: 3 }), isNull: fc.boolean() }, { requiredKeys: [] });
const filters = fc.record({ id: bounds(fc.integer({ min: -3, max: 3 })), celsius: bounds(fc.constantFrom(-1.5, 0, 1, 2)), name: bounds(fc.constantFrom("", "a", "b")) }, { requiredKeys: [] });

interface Predicate {
  readonly eq?: unknown;
  readonly gt?: any;
  readonly gte?: any;
  readonly lt?: any;
  readonly lte?: any;
  readonly in?: readonly unknown[];
  readonly isNull?: boolean;
}

function holds(value: any, { eq, gt, gte, lt, lte, in: among, isNull }: Predicate): boolean {
  const isAsked = [eq, gt, gte, lt, lte, among].some((one) => one !== undefined);
  if (value === null) return isNull === true && !isAsked;
  return isNull !== true && (eq === undefined || value === eq) && (among === undefined || among.includes(value)) && (gt === undefined || value > gt) && (gte === undefined || value >= gte) && (lt === undefined || value < lt) && (lte === undefined || value <= lte);
}

test("compiled rows are those that the filter's definition lets through", () => {
  const nodes = nodesOf({ id: "int32", celsius: "double?", name: "string?", __proto__x: "int32?" });
  fc.assert(fc.property(values, filters, fc.boolean(), fc.nat(20), fc.nat(20), (rows, filter, isMissing, a, b) => {
    const file = new Map([...nodes].filter(([name]) => name !== "__proto__x" && !(isMissing && name === "name")));
    const { tests } = compileFilter(filter as Parameters<typeof compileFilter>[0], nodes, file);
    const columns = [...nodes].map(([name, node]) => ({ name, read: file.has(name) ? valueReader(file.get(name)!, node, name) : undefined }));
    const readers = new Map(columns.flatMap(({ name, read }) => (read === undefined ? [] : [[name, read] as const])));
    const data = new Map<string, any>([["id", Int32Array.from(rows, ([id]) => id)], ["celsius", rows.map(([, celsius]) => celsius ?? undefined)]]);
    if (!isMissing) data.set("name", rows.map(([, , name]) => (name === null ? undefined : Buffer.from(name))));
    const block = new RowGroupBlock<object>(4, rows.length, 0, [{ from: 0, to: rows.length, data }], { path: "f", columns, tests, readers, rows: compileRows(columns, tests, readers, new Map()) });
    const [from, to] = [Math.min(a, b), Math.max(a, b)];
    const expected = rows.slice(from, to).map(([id, celsius, name]) => ({ id, celsius, name: isMissing ? null : name, __proto__x: null }))
      .filter((row) => Object.entries(filter).every(([column, predicate]) => holds(row[column as "id"], predicate as Predicate)));
    assert.deepStrictEqual(block.records(from, Math.min(to, rows.length)), expected);
  }), { numRuns: 1000 });
});
