import {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
  stateTtl,
} from "@millrace/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeapKeyedStateBackend } from "../../src/index.js";
import { store } from "../keyed-model.js";
import { ManualClock } from "../manual-clock.js";

const options = (clock: ManualClock) => ({ maxParallelism: 8, keyGroupRange: [0, 7] as const, clock });
const setUp = () => {
  const clock = new ManualClock();
  return { clock, backend: new HeapKeyedStateBackend<unknown>(options(clock)) };
};
const ttl = stateTtl("10 s");

test("a value expires ttl after its last write, and is then gone", () => {
  const { clock, backend } = setUp();
  const state = backend.getState(new ValueStateDescriptor<string>("v", undefined, { ttl }));
  backend.setCurrentKey("k");
  state.update("a");
  clock.now += 9_999;
  assert.equal(state.value(), "a");
  clock.now += 1;
  assert.equal(state.value(), undefined);
  assert.equal(backend.keyCount, 0);
});

test("OnReadAndWrite renews on reads, OnCreateAndWrite does not", () => {
  const { clock, backend } = setUp();
  const renewed = backend.getState(new ValueStateDescriptor<number>("r", undefined, { ttl: stateTtl("10 s", { updateType: "OnReadAndWrite" }) }));
  const fixed = backend.getState(new ValueStateDescriptor<number>("f", undefined, { ttl }));
  backend.setCurrentKey(1);
  renewed.update(1);
  fixed.update(2);
  for (let i = 0; i < 3; i++) {
    clock.now += 6_000;
    assert.equal(renewed.value(), 1);
  }
  assert.equal(fixed.value(), undefined);
});

test("ReturnExpiredIfNotCleanedUp returns an expired value that is still there, once", () => {
  const { clock, backend } = setUp();
  const lax = stateTtl("10 s", { visibility: "ReturnExpiredIfNotCleanedUp" });
  const value = backend.getState(new ValueStateDescriptor<number>("v", undefined, { ttl: lax }));
  const list = backend.getListState(new ListStateDescriptor<number>("l", undefined, { ttl: lax }));
  backend.setCurrentKey(1);
  value.update(1);
  list.addAll([1, 2]);
  clock.now += 20_000;
  backend.setCurrentKey(1);
  assert.equal(value.value(), 1);
  assert.equal(value.value(), undefined);
  assert.deepEqual([...list.get()], [1, 2]);
  assert.deepEqual([...list.get()], []);
});

test("list elements and map entries expire one by one", () => {
  const { clock, backend } = setUp();
  const list = backend.getListState(new ListStateDescriptor<string>("l", undefined, { ttl }));
  const map = backend.getMapState(new MapStateDescriptor<string, number>("m", undefined, undefined, { ttl }));
  backend.setCurrentKey("k");
  list.add("old");
  map.put("old", 1);
  clock.now += 6_000;
  list.add("new");
  map.put("new", 2);
  clock.now += 4_000;
  assert.deepEqual([...list.get()], ["new"]);
  assert.deepEqual([...map.entries()], [["new", 2]]);
  assert.equal(map.contains("old"), false);
  clock.now += 6_000;
  assert.equal(map.get("new"), undefined);
  assert.equal(map.isEmpty(), true);
  assert.deepEqual([...list.get()], []);
  assert.equal(backend.keyCount, 0);
});

test("an expired accumulator starts again", () => {
  const { clock, backend } = setUp();
  const sum = backend.getReducingState(new ReducingStateDescriptor<number>("s", (a, b) => a + b, undefined, { ttl }));
  const count = backend.getAggregatingState(
    new AggregatingStateDescriptor<number, number, string>(
      "c",
      { createAccumulator: () => 0, add: (_, n) => n + 1, getResult: (n) => `${n}`, merge: (a, b) => a + b },
      undefined,
      { ttl },
    ),
  );
  backend.setCurrentKey(1);
  for (const value of [1, 2]) [sum, count].forEach((state) => state.add(value));
  assert.equal(sum.get(), 3);
  assert.equal(count.get(), "2");
  clock.now += 10_000;
  for (const state of [sum, count]) state.add(5);
  assert.equal(sum.get(), 5);
  assert.equal(count.get(), "1");
});

test("merging namespaces keeps the later time stamp", () => {
  const { clock, backend } = setUp();
  const sum = backend.namespacedState(new ReducingStateDescriptor<number>("s", (a, b) => a + b, undefined, { ttl }));
  backend.setCurrentKey(1);
  sum.in("a").add(1);
  clock.now += 6_000;
  sum.in("b").add(2);
  sum.mergeNamespaces("a", ["b"]);
  clock.now += 6_000;
  assert.equal(sum.in("a").get(), 3);
  assert.equal(sum.in("b").get(), undefined);
});

test("access to some keys cleans expired values of all keys up, bit by bit", () => {
  const { clock, backend } = setUp();
  const state = backend.getState(new ValueStateDescriptor<number>("v", undefined, { ttl }));
  for (let key = 0; key < 1000; key++) {
    backend.setCurrentKey(key);
    state.update(key);
  }
  clock.now += 10_000;
  backend.setCurrentKey(-1);
  for (let i = 0; i < 495; i++) state.update(1);
  assert.ok(backend.keyCount > 1 && backend.keyCount < 20, String(backend.keyCount));
  for (let i = 0; i < 10; i++) state.update(1);
  assert.equal(backend.keyCount, 1);
  assert.deepEqual([...backend.keys(new ValueStateDescriptor("v"))], [-1]);
});

test("a snapshot leaves expired values out and keeps the time stamps of the others", () => {
  const { clock, backend } = setUp();
  const describe = () => ({
    value: new ValueStateDescriptor<string>("v", undefined, { ttl }),
    list: new ListStateDescriptor<number>("l", undefined, { ttl }),
    map: new MapStateDescriptor<string, number>("m", undefined, undefined, { ttl }),
    scoped: new ListStateDescriptor<number>("n", undefined, { ttl }),
  });
  const before = describe();
  const write = (key: string, n: number): void => {
    backend.setCurrentKey(key);
    backend.getState(before.value).update(`${n}`);
    backend.getListState(before.list).add(n);
    backend.getMapState(before.map).put(`${n}`, n);
    backend.namespacedState(before.scoped).in(`w${n}`).add(n);
  };
  write("gone", 0);
  write("mixed", 0);
  clock.now += 6_000;
  write("mixed", 1);
  clock.now += 4_000;
  const stored = store(backend.snapshot(1).finish());

  const restored = HeapKeyedStateBackend.restore<unknown>(options(clock), [{ bytes: stored.bytes, keyGroups: stored.handle.keyGroups }]);
  assert.equal(restored.keyCount, 1);
  const after = describe();
  restored.setCurrentKey("mixed");
  assert.equal(restored.getState(after.value).value(), "1");
  assert.deepEqual([...restored.getListState(after.list).get()], [1]);
  assert.deepEqual([...restored.getMapState(after.map).entries()], [["1", 1]]);
  assert.deepEqual(["w0", "w1"].map((w) => [...restored.namespacedState(after.scoped).in(w).get()]), [[], [1]]);
  clock.now += 6_000;
  assert.equal(restored.getState(after.value).value(), undefined);
});

test("expiry can be turned on and off for old state", () => {
  const { clock, backend } = setUp();
  backend.setCurrentKey("k");
  backend.getState(new ValueStateDescriptor<number>("v")).update(7);
  backend.getMapState(new MapStateDescriptor<string, number>("m")).put("a", 1);
  const stored = store(backend.snapshot(1).finish());
  const on = HeapKeyedStateBackend.restore<unknown>(options(clock), [{ bytes: stored.bytes, keyGroups: stored.handle.keyGroups }]);
  on.setCurrentKey("k");
  assert.equal(on.getState(new ValueStateDescriptor<number>("v", undefined, { ttl })).value(), 7);
  assert.equal(on.getMapState(new MapStateDescriptor<string, number>("m", undefined, undefined, { ttl })).get("a"), 1);
  const again = store(on.snapshot(2).finish());
  clock.now += 20_000;
  const off = HeapKeyedStateBackend.restore<unknown>(options(clock), [{ bytes: again.bytes, keyGroups: again.handle.keyGroups }]);
  off.setCurrentKey("k");
  assert.equal(off.getState(new ValueStateDescriptor<number>("v")).value(), 7);
  assert.equal(off.getMapState(new MapStateDescriptor<string, number>("m")).get("a"), 1);
});
