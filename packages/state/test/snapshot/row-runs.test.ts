import { ValueStateDescriptor, keyGroupRange } from "@millrace/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeapKeyedStateBackend } from "../../src/index.js";
import { concat } from "../concat.js";
import { ManualClock } from "../manual-clock.js";

const COUNT = 10_000;
const MAX_PARALLELISM = 16;
const clock = new ManualClock();
const options = (range: readonly [number, number]) => ({ maxParallelism: MAX_PARALLELISM, keyGroupRange: range, clock });
const statesOf = (backend: HeapKeyedStateBackend<unknown>) => ["dense", "sparse", "unused"].map((name) => backend.getState(new ValueStateDescriptor<number>(name)));
const SPECIAL = [NaN, -0, 0.5, Infinity, -7];

/** The two states' values by key, from backends of all subtasks. */
function contents(backends: readonly HeapKeyedStateBackend<unknown>[]): Map<unknown, unknown[]> {
  const all = new Map<unknown, unknown[]>();
  for (const backend of backends) {
    const states = statesOf(backend);
    for (const name of ["dense", "sparse"]) {
      for (const key of Array.from(backend.keys(new ValueStateDescriptor(name)))) {
        backend.setCurrentKey(key);
        all.set(key, states.map((state) => state.value()));
      }
    }
  }
  return all;
}

for (const [name, keyOf] of Object.entries({ integer: (i: number) => i * 3 - 50, mixed: (i: number) => (i % 500 === 7 ? i : `key ${"é".repeat(i % 3)}${i}`) })) {
  test(`pages of numbers by ${name} keys: what was there at the start is restored, in each of several snapshots`, () => {
    const backend = new HeapKeyedStateBackend<unknown>(options([0, MAX_PARALLELISM - 1]));
    const [dense, sparse] = statesOf(backend);
    for (let i = 0; i < COUNT; i++) {
      backend.setCurrentKey(keyOf(i));
      dense!.update(i % 100 === 0 ? SPECIAL[(i / 100) % SPECIAL.length]! : i);
      if (i % 3 === 0 && i > 5000) sparse!.update(i / 2);
      if (i % 11 === 0) dense!.clear();
    }
    for (let checkpoint = 1; checkpoint <= 3; checkpoint++) {
      const expected = contents([backend]);
      const snapshot = backend.snapshot(checkpoint);
      for (let i = checkpoint, done = false; !done; i += 7) {
        backend.setCurrentKey(keyOf((i * 7919) % COUNT));
        if (i % 2 === 0) dense!.update(i);
        else dense!.clear();
        done = i % 5 === 0 && snapshot.step(0);
      }
      const { chunks, keyGroups } = snapshot.finish();
      const parts = [{ bytes: concat(chunks), keyGroups }];
      const restored = [0, 1].map((subtask) => HeapKeyedStateBackend.restore(options(keyGroupRange(MAX_PARALLELISM, 2, subtask)), parts));
      assert.deepEqual(contents(restored), expected);
    }
  });
}
