import { ValueStateDescriptor, keyGroupRange } from "@millrace/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeapKeyedStateBackend, assignKeyedState, type KeyedStateHandle } from "../../src/index.js";
import { concat } from "../concat.js";
import { ManualClock } from "../manual-clock.js";

const COUNT = 50_000;
const MAX_PARALLELISM = 16;
const ROTATION = 3;
const clock = new ManualClock();
const options = (range: readonly [number, number]) => ({ maxParallelism: MAX_PARALLELISM, keyGroupRange: range, clock, incremental: { rotation: ROTATION, minPages: 2 } });
const descriptors = ["count", "sparse", "text"].map((name) => new ValueStateDescriptor<unknown>(name));

function contents(backends: readonly HeapKeyedStateBackend<unknown>[]): Map<unknown, unknown[]> {
  const all = new Map<unknown, unknown[]>();
  for (const backend of backends) {
    const states = descriptors.map((descriptor) => backend.getState(descriptor));
    for (const key of descriptors.flatMap((descriptor) => Array.from(backend.keys(descriptor)))) {
      backend.setCurrentKey(key);
      all.set(key, states.map((state) => state.value()));
    }
  }
  return new Map([...all].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

const keys = { integer: (i: number): unknown => i * 3 - 50, text: (i: number): unknown => `key ${i}`, mixed: (i: number): unknown => (i % 500 === 7 ? i : `key ${i}`) };
for (const [name, keyOf] of Object.entries(keys)) {
  test(`a chain over pages of ${name} keys restores to what was there, at any parallelism, and grows neither long nor large`, () => {
    const backend = new HeapKeyedStateBackend<unknown>(options([0, MAX_PARALLELISM - 1]));
    const [count, sparse, text] = descriptors.map((descriptor) => backend.getState(descriptor));
    const files = new Map<string, Uint8Array>();
    let full = 0;
    for (let id = 1; id <= 9; id++) {
      for (let i = 0; i < (id === 1 ? COUNT : 500); i++) {
        const n = id === 1 ? i : (i * 7919 * id) % (COUNT + 400 * id);
        backend.setCurrentKey(keyOf(n));
        if (i % 7 !== 3 || id === 1) count!.update(n % 9000 === 0 ? [NaN, -0, 0.5][n % 3] : n + id);
        else count!.clear();
        if (n % 3 === 0) sparse!.update(n / id);
        if (n > 40_000 && n % 10 === 0) text!.update(`t${n}`);
      }
      // To read all values here would be to use all rows.
      const whole = backend.snapshot(0).finish();
      const expected = contents([HeapKeyedStateBackend.restore(options([0, MAX_PARALLELISM - 1]), [{ bytes: concat(whole.chunks), keyGroups: whole.keyGroups }])]);
      const snapshot = backend.incrementalSnapshot(id);
      for (let i = id, done = false; !done; i += 7) {
        backend.setCurrentKey(keyOf((i * 7919) % COUNT));
        if (i % 2 === 0) count!.update(i);
        else count!.clear();
        done = snapshot.step(0);
      }
      const result = snapshot.finish();
      files.set(`${id}`, concat(result.chunks));
      const file = { path: `${id}`, offset: 0, length: result.stateBytes };
      const handle = JSON.parse(JSON.stringify(snapshot.handle(result, file, file))) as KeyedStateHandle;
      const read = (part: Pick<KeyedStateHandle, "file" | "keyGroups">) => ({ bytes: files.get(part.file.path)!, keyGroups: part.keyGroups });
      for (const parallelism of [1, 3]) {
        const restored = assignKeyedState([handle], MAX_PARALLELISM, parallelism).map((handles, subtask) =>
          HeapKeyedStateBackend.restore(options(keyGroupRange(MAX_PARALLELISM, parallelism, subtask)), handles.map((mine) => ({ ...read(mine), earlier: (mine.earlier ?? []).map(read) }))));
        assert.deepEqual(contents(restored), expected, `checkpoint ${id} at parallelism ${parallelism}`);
      }
      if (id === 1) full = result.stateBytes;
      else assert.ok(result.stateBytes < full * 0.75, `checkpoint ${id} has ${result.stateBytes} bytes, all are ${full}`);
      assert.ok((handle.earlier ?? []).length <= ROTATION + 2, `checkpoint ${id} refers to ${handle.earlier?.length} others`);
      // Every third is not known to be complete, as if the message were late.
      if (id % 3 !== 0) backend.checkpointComplete(id);
    }
  });
}

test("few keys, most keys used and another state are snapshots that stand alone", () => {
  const backend = new HeapKeyedStateBackend<unknown>(options([0, MAX_PARALLELISM - 1]));
  const count = backend.getState(descriptors[0]!);
  const touch = (keyCount: number): void => {
    for (let i = 0; i < keyCount; i++) {
      backend.setCurrentKey(i);
      count.update(i);
    }
  };
  const parts = (id: number): number | undefined => {
    const snapshot = backend.incrementalSnapshot(id);
    const result = snapshot.finish();
    const file = { path: `${id}`, offset: 0, length: result.stateBytes };
    const { earlier } = snapshot.handle(result, file, file);
    backend.checkpointComplete(id);
    return earlier?.length;
  };
  touch(1000);
  assert.equal(parts(1), undefined, "few keys");
  touch(20_000);
  assert.equal(parts(2), 0, "nothing to build on");
  assert.equal(parts(3), 1);
  touch(15_000);
  assert.equal(parts(4), 0, "most rows used");
  backend.setCurrentKey(3);
  backend.getState(descriptors[2]!).update("x");
  assert.equal(parts(5), 0, "another state");
  assert.equal(parts(6), 1);
  backend.snapshot(7).finish();
  backend.checkpointAborted(6);
  assert.equal(parts(8), 2, "a snapshot of another kind between them");
});
