import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import { VirtualTime } from "@millrace/testkit";
import { ResourceManager, type RegisteredTaskManager } from "../../src/index.js";
import type { RpcConnection } from "../../src/rpc/rpc-connection.js";
import { JobSlots } from "../../src/scheduler/job-slots.js";
import { rescaled } from "../../src/scheduler/resource-requirements.js";
import { twoVertexGraph } from "../scripted-slots.js";

const LOST = new MillraceError({ code: "TASK_MANAGER_LOST", message: "gone" });
const HARDWARE = { cpuCores: 1, physicalMemoryBytes: 1, heapBytes: 1 };

class World {
  readonly time = new VirtualTime();
  readonly resources = new ResourceManager({ env: this.time.env, slotRequestTimeoutMs: 1000, spreadEvenly: false });
  readonly slots = new JobSlots(this.resources, "job", () => undefined);

  add(taskManagerId: string, numberOfSlots: number): RegisteredTaskManager {
    // A ResourceManager only closes connections.
    return this.resources.register({ taskManagerId, host: "h", numberOfSlots, processId: 1, hardware: HARDWARE }, { close: () => undefined } as RpcConnection);
  }
}

test("regions share slots of the same number, and give all back together", async () => {
  const world = new World();
  world.add("t1", 3);
  const [a, b] = await Promise.all([world.slots.lease([0, 1], 3), world.slots.lease([1, 2], 3)]);
  assert.equal(a.slots[1], b.slots[0]);
  assert.deepEqual([world.resources.freeSlots, world.slots.heldSlots], [0, 3]);
  a.free();
  a.free();
  assert.equal(world.resources.freeSlots, 0);
  b.free();
  assert.deepEqual([world.resources.freeSlots, world.slots.heldSlots], [3, 0]);
});

test("all slots of the job are asked for at once, so that jobs do not wait for each other's", async () => {
  const world = new World();
  const other = new JobSlots(world.resources, "other", () => undefined);
  let granted = 0;
  const count = (): number => ++granted;
  const first = [world.slots.lease([0], 2).then(count), world.slots.lease([1], 2).then(count)];
  const second = [other.lease([0], 2).then(count), other.lease([1], 2).then(count)];
  world.add("t1", 3);
  await world.time.runUntil(Promise.all(first));
  assert.equal(granted, 2);
  assert.equal(world.resources.freeSlots, 1);
  world.add("t2", 1);
  await world.time.runUntil(Promise.all(second));
});

test("a lost TaskManager is told to those who lease of it; only its slots are asked for again", async () => {
  const world = new World();
  const t1 = world.add("t1", 1);
  world.add("t2", 1);
  const [a, b] = await Promise.all([world.slots.lease([0], 2), world.slots.lease([1], 2)]);
  const lost: string[] = [];
  a.onLost = ({ about }) => lost.push(`a lost ${about.taskManagerId}`);
  b.onLost = ({ about }) => lost.push(`b sees ${about.taskManagerId}`);
  world.resources.unregister(t1, LOST);
  assert.deepEqual(lost, ["a lost t1", "b sees t1"]);
  assert.equal(world.slots.heldSlots, 1);
  a.free();
  const again = world.slots.lease([0], 2);
  world.add("t3", 1);
  assert.equal((await world.time.runUntil(again)).slots[0]!.taskManager.about.taskManagerId, "t3");
  assert.equal(b.slots[0]!.taskManager.about.taskManagerId, "t2");
});

test("whoever waits can be refused, and may ask again", async () => {
  const world = new World();
  const waiting = [world.slots.lease([0], 1), world.slots.lease([0], 1)];
  world.slots.cancel();
  for (const lease of waiting) await assert.rejects(lease, { code: "SLOT_REQUEST_CANCELED" });
  world.add("t1", 1);
  assert.equal((await world.slots.lease([0], 1)).slots.length, 1);
});

test("the ResourceManager tells whoever watches when slots come, go or are given back, after those who wait", async () => {
  const world = new World();
  const seen: number[] = [];
  const stop = world.resources.watch(() => seen.push(world.resources.freeSlots));
  const t1 = world.add("t1", 2);
  const lease = await world.slots.lease([0], 1);
  lease.free();
  const waiting = world.slots.lease([0, 1, 2], 3);
  world.add("t2", 2);
  assert.deepEqual(seen, [2, 2, 1]);
  (await waiting).free();
  world.resources.unregister(t1, LOST);
  assert.equal(seen.at(-1), 2);
  stop();
  world.add("t3", 1);
  assert.equal(seen.at(-1), 2);
});

test("a rescale sets upper bounds of all vertices that can be parallel, or of some by id or name", () => {
  const graph = twoVertexGraph();
  const [source, map] = graph.vertices;
  const named: JobGraph = { ...graph, vertices: [{ ...source!, nonParallel: true }, { ...map!, name: "counts" }] };
  const before = { source: { lowerBound: 1, upperBound: 1 }, map: { lowerBound: 2, upperBound: 3 } };
  assert.deepEqual(rescaled(before, named, 5, {}), { source: { lowerBound: 1, upperBound: 1 }, map: { lowerBound: 2, upperBound: 5 } });
  assert.deepEqual(rescaled(before, named, 1, {})["map"], { lowerBound: 1, upperBound: 1 });
  assert.deepEqual(rescaled(before, named, undefined, { counts: 4 })["map"], { lowerBound: 2, upperBound: 4 });
  assert.deepEqual(rescaled(before, named, undefined, { map: 4 })["map"], { lowerBound: 2, upperBound: 4 });
  assert.throws(() => rescaled(before, named, undefined, { nobody: 4 }), { code: "RESOURCE_REQUIREMENTS_INVALID" });
});
