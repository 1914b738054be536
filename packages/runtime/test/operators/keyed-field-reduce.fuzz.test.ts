// Invariant: the operator that keeps numbers instead of records emits, for every record, exactly what the reduce function gives that copies the key's first
// record with the field replaced; and neither what the records look like nor where a snapshot is taken matters.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { KeyedOneInputHarness } from "@millrace/testkit";
import type { FieldReduction, KeyedReduceSpec } from "@millrace/graph";

type Combine = FieldReduction["combine"];
type Step = { readonly record: any } | "snapshot";

const keys = fc.constantFrom("a", "ж", "a key of more than fifteen characters", "\ud800", "");
const number = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: -5, max: 5 }) }, { weight: 1, arbitrary: fc.constantFrom(0.5, -0, 1e300, 2 ** 53, Infinity) });
const anything = fc.oneof({ weight: 12, arbitrary: number }, { weight: 1, arbitrary: fc.constantFrom<unknown>(NaN, "text", null, undefined, true) });

const objects = fc.tuple(keys, anything).map(([k, n]) => ({ k, n }));
const withMore = fc.tuple(keys, anything, fc.constantFrom<unknown>("x", "a much longer text than that", 1, null)).map(([k, n, more]) => ({ k, n, more }));
const reordered = fc.tuple(keys, anything).map(([k, n]) => ({ n, k }));
const without = keys.map((k) => ({ k }));
const bare = fc.tuple(keys, anything).map(([k, n]) => Object.assign(Object.create(null) as object, { k, n }));
const proto = fc.tuple(keys, number).map(([k, n]) => JSON.parse(`{ "__proto__": 1, "k": ${JSON.stringify(k)}, "n": ${n === Infinity ? 1 : n} }`) as object);
const mixed = fc.oneof({ weight: 6, arbitrary: objects }, { weight: 2, arbitrary: withMore }, reordered, without, bare, proto);

function reduceField(field: string | number, combine: Combine): (a: any, b: any) => unknown {
  const replace = (a: any, value: unknown): unknown => (Array.isArray(a) ? a.with(field as number, value) : { ...a, [field]: value });
  if (combine === "sum") return (a, b) => replace(a, a[field] + b[field]);
  return (a, b) => ((combine === "min" ? b[field] < a[field] : b[field] > a[field]) ? replace(a, b[field]) : a);
}

async function compare(steps: readonly Step[], reduction: FieldReduction, key: (record: any) => string): Promise<void> {
  const plain: KeyedReduceSpec = { type: "keyedReduce", fn: reduceField(reduction.field, reduction.combine) };
  const special: KeyedReduceSpec = { ...plain, fieldReduction: reduction };
  let expected = await KeyedOneInputHarness.open<unknown, unknown>(plain, { key });
  let actual = await KeyedOneInputHarness.open<unknown, unknown>(special, { key });
  for (const step of steps) {
    if (step === "snapshot") {
      // Each goes on with what the other left: savepoints do not show which operator wrote them.
      const [ofExpected, ofActual] = [await expected.snapshot(), await actual.snapshot()];
      expected = await KeyedOneInputHarness.open<unknown, unknown>(plain, { key, restore: ofActual });
      actual = await KeyedOneInputHarness.open<unknown, unknown>(special, { key, restore: ofExpected });
      continue;
    }
    expected.processElement(step.record, 1);
    actual.processElement(step.record, 1);
    assert.equal(inspect(actual.takeOutput(), { depth: 5 }), inspect(expected.takeOutput(), { depth: 5 }));
  }
}

const steps = (records: fc.Arbitrary<unknown>): fc.Arbitrary<Step[]> =>
  fc.array(fc.oneof({ weight: 8, arbitrary: records.map((record) => ({ record })) }, { weight: 1, arbitrary: fc.constant("snapshot" as const) }), { maxLength: 40, size: "max" });
const combines = fc.constantFrom<Combine>("sum", "min", "max");

test("objects of a key and a number", () =>
  fc.assert(fc.asyncProperty(steps(objects), combines, (script, combine) => compare(script, { field: "n", combine }, (r) => r.k)), { numRuns: 200 }));

test("objects with more fields, and of many shapes", () =>
  fc.assert(fc.asyncProperty(steps(mixed), combines, (script, combine) => compare(script, { field: "n", combine }, (r) => r.k)), { numRuns: 300 }));

test("tuples", () => {
  const pair = fc.tuple(keys, anything);
  const triple = fc.tuple(keys, anything, fc.constantFrom<unknown>("x", undefined));
  return fc.assert(fc.asyncProperty(steps(fc.oneof<fc.Arbitrary<unknown>[]>(pair, pair, triple)), combines,
    (script, combine) => compare(script, { field: 1, combine }, (r) => r[0])), { numRuns: 200 });
});
