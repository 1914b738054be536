import {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  Types,
  ValueStateDescriptor,
  keyHash,
} from "@millrace/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeapKeyedStateBackend } from "../../src/index.js";
import { code } from "../error-code.js";
import { store } from "../keyed-model.js";
import { ManualClock } from "../manual-clock.js";

const options = { maxParallelism: 8, keyGroupRange: [0, 7] as const, clock: new ManualClock() };
const create = (): HeapKeyedStateBackend<any> => new HeapKeyedStateBackend<any>(options);
const reopen = (backend: HeapKeyedStateBackend): HeapKeyedStateBackend<any> => {
  const { bytes, handle } = store(backend.snapshot(1).finish());
  return HeapKeyedStateBackend.restore<any>(options, [{ bytes, keyGroups: handle.keyGroups }]);
};

test("state without a key is refused", () => {
  const backend = create();
  const state = backend.getState(new ValueStateDescriptor<number>("v"));
  for (const use of [() => state.value(), () => state.update(1), () => state.clear(), () => backend.currentKey, () => backend.currentKeyHash]) {
    assert.throws(use, code("STATE_NO_CURRENT_KEY"));
  }
});

test("a key of another subtask is refused by name, a key with no encoding too", () => {
  const backend = new HeapKeyedStateBackend<any>({ ...options, keyGroupRange: [0, 3] });
  const state = backend.getState(new ValueStateDescriptor<number>("v"));
  const foreign = ["a", "b", "c", "d", "e", "f"].find((key) => (keyHash(key) & 0x7fffffff) % 8 > 3)!;
  backend.setCurrentKey(foreign);
  assert.throws(() => state.update(1), code("KEY_GROUP_MISROUTED", JSON.stringify(foreign), "0 to 3 of 8"));
  assert.throws(() => backend.sliceTable("t").slice(0).upsert(foreign, keyHash(foreign)), code("KEY_GROUP_MISROUTED"));
  assert.throws(() => backend.setCurrentKey(NaN), code("KEY_INVALID"));
});

test("the same name is the same state, and must be of the same kind", () => {
  const backend = create();
  const state = backend.getState(new ValueStateDescriptor<number>("v"));
  assert.equal(backend.getState(new ValueStateDescriptor<number>("v")), state);
  assert.throws(() => backend.getListState(new ListStateDescriptor("v")), code("STATE_DESCRIPTOR_CONFLICT", '"v"', "value", "list"));
  assert.throws(() => backend.getReducingState(new ReducingStateDescriptor<number>("v", (a) => a)), code("STATE_DESCRIPTOR_CONFLICT"));
  // A window's state and the key's may have the same name.
  backend.setCurrentKey("k");
  state.update(1);
  const scoped = backend.namespacedState(new ListStateDescriptor<number>("v"));
  scoped.in("w").add(2);
  assert.equal(state.value(), 1);
});

test("0 and -0 are one key, 1, 1n and '1' are three, tuples and objects are compared by content", () => {
  const backend = create();
  const state = backend.getState(new ValueStateDescriptor<string>("v"));
  const groups = [[0, -0], [1], [1n], ["1"], [[1, "a"], [1, "a"]], [[1, ["a"]]], [{ a: 1, b: 2 }, { b: 2, a: 1 }], ["\ud800"], ["\ud801"], ["\ufffd"], [null], [new Date(7), new Date(7)]];
  groups.forEach((same, i) => {
    backend.setCurrentKey(same[0]);
    state.update(`${i}`);
  });
  for (const from of [backend, reopen(backend as HeapKeyedStateBackend)]) {
    const values = from.getState(new ValueStateDescriptor<string>("v"));
    groups.forEach((same, i) => {
      for (const key of same) {
        from.setCurrentKey(key);
        assert.equal(values.value(), `${i}`);
      }
    });
    assert.equal(from.keyCount, groups.length);
  }
});

test("rows of cleared keys are used again, keys() sees what has a value", () => {
  const backend = create();
  const number = backend.getState(new ValueStateDescriptor<number>("n"));
  const list = backend.getListState(new ListStateDescriptor<number>("l"));
  for (let round = 0; round < 3; round++) {
    for (let key = 0; key < 100; key++) {
      backend.setCurrentKey(`${round}/${key}`);
      number.update(key);
      list.add(key);
    }
    const seen: unknown[] = [];
    for (const key of backend.keys(new ValueStateDescriptor("n"))) {
      seen.push(key);
      backend.setCurrentKey(key);
      number.clear();
      list.clear();
    }
    assert.equal(seen.length, 100);
    assert.equal(backend.keyCount, 0);
  }
  assert.equal(backend.cursor.table.rowCount, 100);
  assert.deepEqual([...backend.keys(new ValueStateDescriptor("unknown"))], []);
});

test("undefined is no value: updating with it clears; null is one", () => {
  const backend = create();
  const state = backend.getState(new ValueStateDescriptor<any>("v"));
  backend.setCurrentKey(1);
  state.update(null);
  assert.equal(state.value(), null);
  state.update(undefined);
  assert.equal(state.value(), undefined);
  assert.equal(backend.keyCount, 0);
});

test("a map state takes any key and keeps order; equal structural keys are one", () => {
  const backend = create();
  const map = backend.getMapState(new MapStateDescriptor<any, number>("m"));
  backend.setCurrentKey("k");
  map.putAll([["b", 1], ["a", 2], [1, 3], [NaN, 4]]);
  map.put([1, { x: 1 }], 5);
  map.put([1, { x: 1 }], 6);
  assert.equal(map.get([1, { x: 1 }]), 6);
  assert.equal(map.get(NaN), 4);
  assert.deepEqual([...map.keys()], ["b", "a", 1, NaN, [1, { x: 1 }]]);
  assert.deepEqual([...map.values()], [1, 2, 3, 4, 6]);
  const again = reopen(backend as HeapKeyedStateBackend);
  again.setCurrentKey("k");
  assert.deepEqual([...again.getMapState(new MapStateDescriptor<any, number>("m")).entries()], [...map.entries()]);
  for (const key of map.keys()) map.remove(key);
  assert.equal(map.isEmpty(), true);
  assert.equal(backend.keyCount, 0);
});

test("accumulators without merge() cannot be merged", () => {
  const backend = create();
  const aggregate = { createAccumulator: () => 0, add: (v: number, acc: number) => acc + v, getResult: (acc: number) => acc };
  const state = backend.namespacedState(new AggregatingStateDescriptor<number, number, number>("a", aggregate));
  backend.setCurrentKey(1);
  state.in("a").add(1);
  state.mergeNamespaces("b", ["a"]);
  assert.equal(state.in("b").get(), 1);
  state.in("c").add(1);
  assert.throws(() => state.mergeNamespaces("b", ["c"]), code("STATE_MERGE_MISSING", '"a"'));
});

test("restored state must fit: kind, then type, with both types in the message", () => {
  const written = create();
  written.setCurrentKey("k");
  written.getState(new ValueStateDescriptor("v", Types.object({ id: Types.int, name: Types.string }))).update({ id: 1, name: "n" });
  written.getState(new ValueStateDescriptor("undeclared")).update(5);
  written.getState(new ValueStateDescriptor("mixed")).update("text");
  const backend = written as HeapKeyedStateBackend;
  assert.throws(() => reopen(backend).getListState(new ListStateDescriptor("v")), code("STATE_DESCRIPTOR_CONFLICT", "value state", "list state"));
  assert.throws(
    () => reopen(backend).getState(new ValueStateDescriptor("v", Types.object({ id: Types.string, name: Types.string }))),
    code("STATE_TYPE_INCOMPATIBLE", "{ id: int, name: string }", "{ id: string, name: string }"),
  );
  // Nothing was declared, but all values were numbers.
  assert.throws(() => reopen(backend).getState(new ValueStateDescriptor("undeclared", Types.string)), code("STATE_TYPE_INCOMPATIBLE", "number", "string"));
  assert.doesNotThrow(() => reopen(backend).getState(new ValueStateDescriptor("undeclared", Types.double)));
  assert.doesNotThrow(() => reopen(backend).getState(new ValueStateDescriptor("mixed", Types.string)));
});

test("restored values are brought to the new type, in every kind of state", () => {
  const before = Types.object({ id: Types.int, gone: Types.string });
  const after = Types.object({ id: Types.double, added: Types.nullable(Types.string) });
  const backend = create();
  backend.setCurrentKey("k");
  const old: any = { id: 1, gone: "g" };
  backend.getState(new ValueStateDescriptor("v", before)).update(old);
  backend.getListState(new ListStateDescriptor("l", before)).add(old);
  backend.getMapState(new MapStateDescriptor("m", Types.string, before)).put("a", old);
  backend.namespacedState(new ListStateDescriptor("s", before)).in("w").add(old);
  const again = reopen(backend as HeapKeyedStateBackend);
  again.setCurrentKey("k");
  const running = again.snapshot(2);
  const expected: any = { id: 1, added: null };
  assert.deepEqual(again.getState(new ValueStateDescriptor("v", after)).value(), expected);
  assert.deepEqual([...again.getListState(new ListStateDescriptor("l", after)).get()], [expected]);
  assert.deepEqual(again.getMapState(new MapStateDescriptor("m", Types.string, after)).get("a"), expected);
  assert.deepEqual([...again.namespacedState(new ListStateDescriptor("s", after)).in("w").get()], [expected]);
  // The snapshot was begun under the old types.
  const { bytes, handle } = store(running.finish());
  const old2 = HeapKeyedStateBackend.restore<any>(options, [{ bytes, keyGroups: handle.keyGroups }]);
  old2.setCurrentKey("k");
  assert.deepEqual(old2.getState(new ValueStateDescriptor("v", before)).value(), old);
});

test("restored state that nobody opens is kept", () => {
  const backend = create();
  backend.setCurrentKey("k");
  backend.getListState(new ListStateDescriptor<string>("l")).add("x");
  backend.namespacedState(new ValueStateDescriptor<string>("n")).in("w").update("y");
  const slice = backend.sliceTable<number>("t").slice(5);
  slice.set(slice.upsert("k", keyHash("k")), 1.5);
  const again = reopen(reopen(reopen(backend as HeapKeyedStateBackend) as HeapKeyedStateBackend) as HeapKeyedStateBackend);
  again.setCurrentKey("k");
  assert.deepEqual([...again.getListState(new ListStateDescriptor<string>("l")).get()], ["x"]);
  assert.equal(again.namespacedState(new ValueStateDescriptor<string>("n")).in("w").value(), "y");
  assert.deepEqual(again.sliceTable("t").namespaces(), [5]);
});

test("prefetching changes nothing", () => {
  const backend = create();
  const state = backend.getState(new ValueStateDescriptor<number>("v"));
  const slice = backend.sliceTable<number>("t").slice(0);
  const hashes = Int32Array.from({ length: 40_000 }, (_, i) => keyHash(i));
  for (let key = 0; key < hashes.length; key++) {
    backend.setCurrentKey(key, hashes[key]);
    state.update(key);
    slice.set(slice.upsert(key, hashes[key]!), key);
  }
  backend.prefetch(hashes, 0, hashes.length);
  backend.prefetch([keyHash("absent")], 0, 1);
  backend.setCurrentKey(39_999);
  assert.equal(state.value(), 39_999);
  assert.equal(slice.size, hashes.length);
});
