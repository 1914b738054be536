import * as fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Column } from "../../src/heap/column.js";
import { fuzz } from "../seed.js";

// Invariant: a column is a map from row to value; set and clear tell whether the row was in it.

test("a column is a map from row to value", () => {
  const row = fc.oneof(fc.nat(5), fc.integer({ min: 4090, max: 4100 }), fc.constantFrom(12_288, 50_000));
  const value = fc.oneof(fc.double(), fc.constantFrom<unknown>(NaN, -0, 0, 1, null, "s", false, 7n));
  fc.assert(
    fc.property(fc.array(fc.tuple(row, fc.option(value, { nil: undefined })), { size: "max", maxLength: 120 }), (steps) => {
      const column = new Column();
      const model = new Map<number, unknown>();
      for (const [at, next] of steps) {
        assert.ok(Object.is(column.get(at), model.get(at)));
        if (next === undefined) assert.equal(column.clear(at), model.delete(at));
        else {
          assert.equal(column.set(at, next), !model.has(at));
          model.set(at, next);
        }
      }
      for (const [at] of steps) assert.ok(Object.is(column.get(at), model.get(at)));
      assert.equal(column.get(2 ** 20), undefined);
    }),
    fuzz("column", 500),
  );
});
