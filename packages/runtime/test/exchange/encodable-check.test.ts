import assert from "node:assert/strict";
import { test } from "node:test";
import { isMillraceError, RecordBatch } from "@millrace/core";
import { EncodableCheck } from "../../src/exchange/encodable-check.js";

class Point {
  x = 1;
}
const plain: unknown[] = [
  1, "a", null, undefined, 5n, true, new Date(0), [1, [2]], new Map([[1, { a: 1 }]]), new Set([1]), new Uint8Array(2), Object.create(null), { a: { b: { c: [null] } } },
  { deep: { deep: { deep: { deep: { deep: { deep: { deep: { deep: { deep: { deep: 1 } } } } } } } } } },
];
const refused: unknown[] = [() => 1, Symbol("s"), new Point(), { a: () => 1 }, { a: { b: new Point() } }, [new Point()], new Map([[1, () => 1]]), { [Symbol.iterator]: 1, a: Symbol("s") }, /x/, Promise.resolve()];

function check(values: unknown[]): void {
  new EncodableCheck(true).check(RecordBatch.withoutTimestamps(values));
}

test("lets pass what the codec carries", () => {
  check(plain);
  for (const value of plain) check([value]);
});

test("refuses what it does not, wherever it is among others", () => {
  for (const value of refused) {
    for (const position of [0, 1, plain.length]) {
      const values = [...plain.slice(0, position), value, ...plain.slice(position)];
      assert.throws(() => check(values), (error) => isMillraceError(error) && error.code === "RECORD_NOT_ENCODABLE");
    }
  }
});

test("one check stays exact while the kinds of records change", () => {
  const always = new EncodableCheck(true);
  for (let i = 0; i < 2000; i++) always.check(RecordBatch.withoutTimestamps([{ i }, { i, name: "n" }, i]));
  assert.throws(() => always.check(RecordBatch.withoutTimestamps([{ i: 1 }, { i: new Point() }])), /Point/);
});

test("a sampling check looks at all of the first batches and at some of the later ones", () => {
  const sampling = new EncodableCheck(false);
  assert.throws(() => sampling.check(RecordBatch.withoutTimestamps([1, new Point()])));
  const later = new EncodableCheck(false);
  let refusals = 0;
  for (let i = 0; i < 1000; i++) {
    try {
      later.check(RecordBatch.withoutTimestamps([new Point(), new Point()]));
    } catch {
      refusals++;
    }
  }
  assert.ok(refusals >= 8 + Math.floor(992 / 64) - 1 && refusals < 30, `${refusals} refusals`);
});
