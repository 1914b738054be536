import * as fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { MapColumn } from "../../src/heap/map-column.js";
import { MapEntries } from "../../src/heap/map-entries.js";
import { StateMap } from "../../src/heap/state-map.js";
import { fuzz } from "../seed.js";

// Invariant: each row of a map column is a Map, whatever form it has at the moment, and tells when it gets its first and loses its last entry.

const rows = [0, 1, 4095, 4096, 9000];
const row = fc.constantFrom(...rows);
const key = fc.oneof(fc.nat(4), fc.constantFrom<unknown>(NaN, 0, -0, "a", "b", true, null, 1.5e12, 7n));
const value = fc.oneof(fc.nat(1000), fc.constantFrom<unknown>("x", NaN, null, undefined));
const op = fc.constantFrom("put", "put", "put", "remove", "remove", "clear", "set", "iterate");
const command = fc.record({ op, row, key, other: key, value, entries: fc.array(fc.tuple(key, value), { maxLength: 4 }) });

/** What a row must show to someone who removes the first entry he sees, or adds one. */
function visited(model: ReadonlyMap<unknown, unknown>, remove: unknown, add: unknown): unknown[] {
  const seen: unknown[] = [];
  const left = new Map(model);
  for (const [k] of left) {
    seen.push(k);
    if (seen.length === 1) {
      left.delete(remove);
      // Each key is visited once.
      if (!seen.includes(add)) left.set(add, 1);
    }
  }
  return seen;
}

test("a row of a map column is a Map", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80, size: "max" }), (commands) => {
      const column = new MapColumn();
      const models = new Map(rows.map((at) => [at, new Map<unknown, unknown>()]));
      for (const { op: what, row: at, key: k, other, value: v, entries } of commands) {
        const model = models.get(at)!;
        const had = model.size > 0;
        if (what === "put") {
          model.set(k, v);
          assert.equal(column.put(at, k, v), !had);
        } else if (what === "remove") {
          const last = model.delete(k) && model.size === 0;
          assert.equal(column.remove(at, k), last);
        } else if (what === "clear") {
          model.clear();
          assert.equal(column.clear(at), had);
        } else if (what === "set" && entries.length > 0) {
          const map = new StateMap();
          model.clear();
          for (const [entryKey, held] of entries) {
            map.set(entryKey, held);
            model.set(entryKey, held);
          }
          assert.equal(column.set(at, map), !had);
        } else if (what === "iterate" && column.mapOf(at) === undefined) {
          const expected = visited(model, k, other);
          const seen: unknown[] = [];
          for (const [entryKey] of new MapEntries(column, at)) {
            seen.push(entryKey);
            if (seen.length > 1) continue;
            column.remove(at, k);
            model.delete(k);
            if (seen.includes(other)) continue;
            column.put(at, other, 1);
            model.set(other, 1);
          }
          assert.deepEqual(seen, expected);
        }
        for (const [some, held] of models) {
          assert.deepEqual(column.toArray(some), [...held]);
          assert.equal(column.isEmpty(some), held.size === 0);
          assert.deepEqual(column.get(some)?.toArray() ?? [], [...held]);
        }
        assert.equal(column.has(at, other), model.has(other));
        assert.equal(column.valueOf(at, other), model.get(other));
      }
    }),
    fuzz("map column", 300),
  );
});

test("a key that has to be compared by content gives its row a map of its own until that is empty", () => {
  const column = new MapColumn();
  assert.equal(column.put(3, 1, "one"), true);
  assert.equal(column.put(3, { id: 1 }, "object"), false);
  assert.equal(column.valueOf(3, { id: 1 }), "object");
  assert.equal(column.valueOf(3, 1), "one");
  assert.equal(column.remove(3, 1), false);
  assert.equal(column.remove(3, { id: 1 }), true);
  assert.equal(column.mapOf(3), undefined);
});
