import { ListStateDescriptor, MapStateDescriptor, Types } from "@millrace/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { OperatorStateBackend, redistributeOperatorState, type OperatorStateHandle, type OperatorStateSnapshot } from "../../src/index.js";
import { code } from "../error-code.js";

function handlesOf(snapshots: readonly OperatorStateSnapshot[]): OperatorStateHandle[] {
  const handles = snapshots.map(({ states, bytes }, i) => ({ states, file: { path: String(i), offset: 0, length: bytes.length } }));
  return JSON.parse(JSON.stringify(handles)) as OperatorStateHandle[];
}

function rescale(snapshots: readonly OperatorStateSnapshot[], parallelism: number): OperatorStateBackend[] {
  const handles = handlesOf(snapshots);
  return redistributeOperatorState(handles, parallelism).map((assignments) =>
    OperatorStateBackend.restore(
      handles.map((handle, i) => ({ bytes: snapshots[i]!.bytes, states: handle.states, assignments: assignments.filter((a) => a.handle === i) })),
    ),
  );
}

const list = new ListStateDescriptor<string>("list");
const union = new ListStateDescriptor<string>("union");
const rules = new MapStateDescriptor<unknown, unknown>("rules");

function write(subtask: number, elements: number): OperatorStateSnapshot {
  const backend = new OperatorStateBackend();
  for (let i = 0; i < elements; i++) backend.getListState(list).add(`${subtask}.${i}`);
  backend.getUnionListState(union).update([`u${subtask}`]);
  const broadcast = backend.getBroadcastState(rules);
  broadcast.put(["a", 1], { limit: 5n });
  broadcast.put("b", new Map([[1, -0]]));
  broadcast.put("c", 1);
  broadcast.remove("c");
  return backend.snapshot();
}

test("lists are split evenly, union lists go whole to everybody, broadcast state is copied", () => {
  for (const parallelism of [1, 2, 3, 4, 9]) {
    const backends = rescale([write(0, 4), write(1, 0), write(2, 3)], parallelism);
    const lists = backends.map((backend) => [...backend.getListState(list).get()]);
    assert.deepEqual(lists.flat().sort(), ["0.0", "0.1", "0.2", "0.3", "2.0", "2.1", "2.2"]);
    const sizes = lists.map((elements) => elements.length);
    if (parallelism !== 3) assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join());
    else assert.deepEqual(sizes, [4, 0, 3]);
    for (const backend of backends) {
      assert.deepEqual([...backend.getUnionListState(union).get()], ["u0", "u1", "u2"]);
      const broadcast = backend.getBroadcastState(rules);
      assert.deepEqual([...broadcast.entries()].length, 2);
      assert.deepEqual(broadcast.get(["a", 1]), { limit: 5n });
      assert.ok(Object.is((broadcast.get("b") as Map<number, number>).get(1), -0));
      assert.equal(broadcast.contains("c"), false);
    }
  }
});

test("left-over elements of many short lists go round", () => {
  const backend = new OperatorStateBackend();
  for (const name of ["a", "b", "c", "d"]) backend.getListState(new ListStateDescriptor<string>(name)).add(name);
  const assigned = redistributeOperatorState(handlesOf([backend.snapshot()]), 4);
  assert.deepEqual(assigned.map((assignments) => assignments.map(({ name }) => name)), [["a"], ["b"], ["c"], ["d"]]);
});

test("subtasks without operator state, and states that only some have", () => {
  const [only] = handlesOf([write(0, 2)]);
  const assigned = redistributeOperatorState([undefined, only, undefined], 2);
  assert.deepEqual(assigned[0]!.filter((a) => a.mode === "SPLIT_DISTRIBUTE"), [{ handle: 1, name: "list", mode: "SPLIT_DISTRIBUTE", from: 0, to: 1 }]);
  assert.deepEqual(assigned.map((a) => a.filter(({ mode }) => mode === "BROADCAST").length), [1, 1]);
  assert.deepEqual(redistributeOperatorState([], 2), [[], []]);
  assert.deepEqual(redistributeOperatorState([only, undefined], 2)[1]!.map(({ mode }) => mode), ["UNION", "BROADCAST"]);
});

test("state nobody opens is kept; mode and type must fit", () => {
  const again = rescale([rescale([write(0, 2)], 1)[0]!.snapshot()], 1)[0]!;
  assert.deepEqual([...again.getListState(list).get()], ["0.0", "0.1"]);
  assert.throws(() => again.getUnionListState(list), code("STATE_DESCRIPTOR_CONFLICT", '"list"', "union list"));

  const typed = new OperatorStateBackend();
  typed.getListState(new ListStateDescriptor("t", Types.object({ a: Types.int, b: Types.int }))).add({ a: 1, b: 2 });
  const restore = (): OperatorStateBackend => rescale([typed.snapshot()], 1)[0]!;
  assert.throws(() => restore().getListState(new ListStateDescriptor("t", Types.string)), code("STATE_TYPE_INCOMPATIBLE", "{ a: int, b: int }", "string"));
  assert.deepEqual([...restore().getListState(new ListStateDescriptor("t", Types.object({ b: Types.int }))).get()], [{ b: 2 }]);
});

test("a snapshot does not follow later changes", () => {
  const backend = new OperatorStateBackend();
  const state = backend.getListState(new ListStateDescriptor<number[]>("l"));
  const element = [1];
  state.add(element);
  const snapshot = backend.snapshot();
  element.push(2);
  state.clear();
  assert.deepEqual([...rescale([snapshot], 1)[0]!.getListState(new ListStateDescriptor<number[]>("l")).get()], [[1]]);
});

test("offsets that do not fit the bytes are refused", () => {
  const { bytes, states } = write(0, 2);
  const assignments = [{ name: "list", mode: "SPLIT_DISTRIBUTE" as const, from: 0, to: 3 }];
  assert.throws(() => OperatorStateBackend.restore([{ bytes, states, assignments }]), code("STATE_SNAPSHOT_CORRUPT"));
  assert.throws(() => OperatorStateBackend.restore([{ bytes: bytes.slice(0, 2), states, assignments }]), code("STATE_SNAPSHOT_CORRUPT"));
});
