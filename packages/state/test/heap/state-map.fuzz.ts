import * as fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { StateMap } from "../../src/heap/state-map.js";
import { fuzz } from "../seed.js";

// Invariant: with plain keys a state map is a Map, also for changes in the middle of an iteration.

const key = fc.oneof(fc.nat(12), fc.constantFrom<unknown>(NaN, 0, -0, "a", "b", true, null, 1.5e12));
const command = fc.record({ op: fc.constantFrom("set", "set", "set", "delete", "get", "iterate"), key, other: key, value: fc.nat(1000) });

test("a state map is a Map", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60, size: "max" }), (commands) => {
      const map = new StateMap<unknown, number>();
      const model = new Map<unknown, number>();
      for (const { op, key: k, other, value } of commands) {
        if (op === "set") {
          map.set(k, value);
          model.set(k, value);
        } else if (op === "delete") {
          assert.equal(map.delete(k), model.delete(k));
        } else if (op === "iterate") {
          const visit = (one: StateMap<unknown, number> | Map<unknown, number>): unknown[] => {
            const seen: unknown[] = [];
            for (const [entryKey, held] of one.entries()) {
              seen.push([entryKey, held]);
              if (seen.length === 2) one.delete(k);
              if (seen.length === 3) one.set(other, value);
            }
            return seen;
          };
          assert.deepEqual(visit(map), visit(model));
        }
        assert.equal(map.get(k), model.get(k));
        assert.equal(map.has(k), model.has(k));
        assert.equal(map.size, model.size);
        assert.deepEqual(map.toArray(), [...model]);
      }
    }),
    fuzz("state map", 300),
  );
});
