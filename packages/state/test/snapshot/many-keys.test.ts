import { MAX_WATERMARK, ListStateDescriptor, ValueStateDescriptor, keyGroupRange, keyHash, type Output } from "@millrace/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeapKeyedStateBackend, type KeyedSnapshot } from "../../src/index.js";
import { store, type Stored } from "../keyed-model.js";
import { ManualClock } from "../manual-clock.js";

const COUNT = 30_000;
const MAX_PARALLELISM = 4;
const open = (backend: HeapKeyedStateBackend<unknown>) => {
  const fired: string[] = [];
  return {
    backend,
    fired,
    number: backend.getState(new ValueStateDescriptor<number>("number")),
    list: backend.getListState(new ListStateDescriptor<string>("list")),
    slices: backend.sliceTable<number>("slices"),
    timers: backend.timerService(
      "timers",
      { onEventTime: (time) => void fired.push(`${String(backend.currentKey)}@${time}`), onProcessingTime: () => undefined },
      {} as Output<unknown>,
    ),
  };
};
const keyOf = (i: number): unknown => (i % 3 === 0 ? i : `key number ${i}`);

/** Everything in the subjects, as plain text. */
function contents(subjects: readonly ReturnType<typeof open>[]): Map<string, string> {
  const all = new Map<string, string>();
  for (const { backend, number, list, slices, timers, fired } of subjects) {
    for (const key of backend.keys(new ValueStateDescriptor("number"))) {
      backend.setCurrentKey(key);
      all.set(`${typeof key} ${String(key)}`, `${number.value()} ${[...list.get()].join()}`);
    }
    for (const namespace of slices.namespaces()) {
      const slice = slices.slice(namespace);
      for (let at = 0; at < slice.size; at++) all.set(`${namespace}/${String(slice.keyAt(at))}`, String(slice.get(at)));
    }
    timers.advanceWatermark(MAX_WATERMARK, () => false);
    for (const timer of fired) all.set(timer, "fired");
  }
  return all;
}

const clock = new ManualClock();
const options = (range: readonly [number, number]) => ({ maxParallelism: MAX_PARALLELISM, keyGroupRange: range, clock });

function restore(stored: readonly Stored[], parallelism: number): ReturnType<typeof open>[] {
  return Array.from({ length: parallelism }, (_, subtask) => {
    const parts = stored.map(({ bytes, handle }) => ({ bytes, keyGroups: handle.keyGroups }));
    return open(HeapKeyedStateBackend.restore(options(keyGroupRange(MAX_PARALLELISM, parallelism, subtask)), parts));
  });
}

test("a snapshot of many pages, blocks and segments, taken bit by bit while everything changes", () => {
  const subject = open(new HeapKeyedStateBackend(options([0, MAX_PARALLELISM - 1])));
  const { backend, number, list, slices, timers } = subject;
  const expected = new Map<string, string>();
  for (let i = 0; i < COUNT; i++) {
    const key = keyOf(i);
    backend.setCurrentKey(key);
    number.update(i / 2);
    if (i % 10 === 0) list.add(`element ${i}`);
    expected.set(`${typeof key} ${String(key)}`, `${i / 2} ${i % 10 === 0 ? `element ${i}` : ""}`);
    const slice = slices.slice(i % 2);
    slice.set(slice.upsert(key, keyHash(key)), i);
    expected.set(`${i % 2}/${String(key)}`, String(i));
    timers.registerEventTimeTimer("", (i * 7919) % 1000);
    expected.set(`${String(key)}@${(i * 7919) % 1000}`, "fired");
  }

  const snapshot: KeyedSnapshot = backend.snapshot(1);
  let steps = 0;
  for (; !snapshot.step(0); steps++) {
    for (let j = 0; j < 200; j++) {
      const i = (steps * 104_729 + j * 7) % (COUNT * 2);
      const key = keyOf(i);
      backend.setCurrentKey(key);
      list.add("later");
      if (j % 4 === 0) number.clear();
      else number.update(-i);
      if (j % 8 === 0) list.clear();
      const slice = slices.slice(j % 3);
      slice.set(slice.upsert(key, keyHash(key)), -i);
      if (j % 5 === 0) slices.existing(0)?.delete(key, keyHash(key));
      timers.registerEventTimeTimer("", 5000);
    }
    if (steps === 2) slices.drop(1);
    timers.advanceWatermark(steps * 20, () => false);
  }
  assert.ok(steps > 10, String(steps));

  const stored = store(snapshot.finish());
  assert.deepEqual(contents(restore([stored], 1)), expected);
  const split = restore([stored], 3).map((part) => store(part.backend.snapshot(2).finish()));
  assert.deepEqual(contents(restore(split, 2)), expected);
});

test("a value that cannot be written fails the snapshot, not its user", () => {
  const subject = open(new HeapKeyedStateBackend(options([0, MAX_PARALLELISM - 1])));
  const state = subject.backend.getState(new ValueStateDescriptor<unknown>("any"));
  subject.backend.setCurrentKey("k");
  state.update({ callback: () => 1 });
  const snapshot = subject.backend.snapshot(1);
  subject.backend.setCurrentKey("k");
  assert.doesNotThrow(() => state.value());
  assert.throws(() => snapshot.step(100), /callback/);
  snapshot.abort();
  state.clear();
  assert.equal(subject.backend.snapshot(2).finish().keyGroups.length, 0);
});
