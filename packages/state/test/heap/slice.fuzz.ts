import * as fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeKey, keyHash } from "@millrace/core";
import { HeapKeyedStateBackend } from "../../src/heap/keyed-backend.js";
import type { HeapSlice } from "../../src/heap/slice.js";
import { ManualClock } from "../manual-clock.js";
import { fuzz } from "../seed.js";

// Invariant: a slice is a map from key to value, in order of insertion until something is deleted; keys that are looked up together are found, or added, as
// if one after the other.

function newSlice(): HeapSlice<unknown, unknown> {
  const backend = new HeapKeyedStateBackend({ maxParallelism: 4, keyGroupRange: [0, 3], clock: new ManualClock() });
  return backend.sliceTable("t").slice(0) as HeapSlice<unknown, unknown>;
}
const identity = (key: unknown): string => encodeKey(key).join();

const ints = fc.integer({ min: -3, max: 40 });
// Around the number of characters that fit into the words of a key, in and beyond Latin-1, and alike in their first characters.
const texts = fc.tuple(fc.constantFrom("", "a", "\u0000", "ÿ", "ж", "жжжжжж", "жаaaaaa", "aaaaaaж", "user-12345", "user-123456789", "user-1234567890", "user-12345678901"), fc.constantFrom("", "a", "b", "ÿ", "Ā", "\u0000", "aĀ")).map((parts) => parts.join(""));
const keys = fc.oneof({ weight: 3, arbitrary: texts }, ints, fc.constantFrom<unknown>(1.5, null, true, 7n, "1"), fc.tuple(fc.nat(3), fc.nat(3)));
const values = fc.oneof(fc.integer(), fc.double(), fc.constantFrom<unknown>(undefined, NaN, -0, "text", null, 3n), fc.array(fc.nat(9), { maxLength: 2 }));

type Step = { readonly op: "set" | "delete"; readonly entries: readonly (readonly [unknown, unknown])[] };
const steps = (key: fc.Arbitrary<unknown>): fc.Arbitrary<Step[]> => fc.array(
  fc.record({ op: fc.constantFrom("set" as const, "set" as const, "set" as const, "delete" as const), entries: fc.array(fc.tuple(key, values), { maxLength: 12 }) }),
  { maxLength: 40 },
);

test("a slice is a map from key to value", () => {
  fc.assert(
    fc.property(fc.oneof(steps(ints), steps(texts), steps(keys)), fc.boolean(), (script, together) => {
      const slice = newSlice();
      const model = new Map<string, readonly [unknown, unknown]>();
      const positions = new Int32Array(12);
      let deleted = false;
      for (const { op, entries } of script) {
        if (op === "delete") {
          for (const [key] of entries) {
            slice.delete(key, keyHash(key));
            deleted = model.delete(identity(key)) || deleted;
          }
          continue;
        }
        const hashes = Int32Array.from(entries, ([key]) => keyHash(key));
        if (together) slice.upsertAll(entries.map(([key]) => key), hashes, entries.length, positions);
        entries.forEach(([key, value], i) => {
          const position = together ? positions[i]! : slice.upsert(key, hashes[i]!);
          slice.set(position, value);
          assert.deepEqual(slice.get(position), value);
          model.set(identity(key), [key, value]);
        });
      }
      assert.equal(slice.size, model.size);
      for (const [key, value] of model.values()) {
        const position = slice.find(key, keyHash(key));
        assert.ok(position >= 0);
        assert.deepEqual([slice.keyAt(position), slice.hashAt(position), slice.get(position)], [key, keyHash(key), value]);
      }
      if (!deleted) assert.deepEqual(Array.from({ length: slice.size }, (_, position) => slice.keyAt(position)), [...model.values()].map(([key]) => key));
    }),
    fuzz("slice", 500),
  );
});

for (const [name, keyOf] of [["short strings", (i: number) => `user-${i}`], ["short strings beyond Latin-1", (i: number) => `ж${i}`], ["ints", (i: number) => i], ["long strings", (i: number) => `someone-with-a-long-name-${i}`]] as const) {
  test(`${name}: many keys are found together`, () => {
    const slice = newSlice();
    const count = 20_000;
    const run = 500;
    const positions = new Int32Array(run);
    for (const round of [0, 1]) {
      for (let from = 0; from < count; from += run) {
        const some = Array.from({ length: run }, (_, i) => keyOf(from + i));
        slice.upsertAll(some, Int32Array.from(some, keyHash), run, positions);
        for (let i = 0; i < run; i++) {
          assert.equal(positions[i], from + i);
          slice.set(positions[i]!, round * count + from + i);
        }
      }
    }
    for (let i = 0; i < count; i++) assert.equal(slice.get(slice.find(keyOf(i), keyHash(keyOf(i)))), count + i);
  });
}
