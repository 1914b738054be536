import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "@millrace/core";
import { VirtualTime } from "@millrace/testkit";
import { ResourceManager, type RegisteredTaskManager, type RpcConnection, type SlotGrant } from "../../src/index.js";

interface World {
  readonly time: VirtualTime;
  readonly resources: ResourceManager;
  add(taskManagerId: string, numberOfSlots: number, version?: string): RegisteredTaskManager;
}

function world(spreadEvenly = false): World {
  const time = new VirtualTime();
  const resources = new ResourceManager({ env: { clock: time.clock, log: { write: () => undefined } }, slotRequestTimeoutMs: 1000, spreadEvenly });
  return {
    time, resources,
    add: (taskManagerId, numberOfSlots, version) => resources.register({ taskManagerId, host: "h", numberOfSlots, processId: 1, hardware: { cpuCores: 1, physicalMemoryBytes: 0, heapBytes: 0 } }, { close: () => undefined } as RpcConnection, version),
  };
}

const counts = (grants: readonly SlotGrant[]): unknown => Object.fromEntries(grants.map(({ taskManager, count }) => [taskManager.about.taskManagerId, count]));
const lost = new MillraceError({ code: "RPC_CONNECTION_LOST", message: "gone" });
const quiet = (): void => undefined;

test("slots of one TaskManager are filled before those of the next, or spread evenly", async () => {
  const filled = world();
  const spread = world(true);
  for (const { add } of [filled, spread]) {
    add("a", 4);
    add("b", 4);
  }
  assert.deepEqual(counts(await filled.resources.request("job", 3, quiet).granted), { a: 3 });
  assert.deepEqual(counts(await filled.resources.request("job", 3, quiet).granted), { a: 1, b: 2 });
  assert.deepEqual(counts(await spread.resources.request("job", 4, quiet).granted), { a: 2, b: 2 });
  assert.deepEqual(counts(await spread.resources.request("job", 4, quiet).granted), { a: 2, b: 2 });
});

test("a request waits, says what is missing, and gets all its slots at once", async () => {
  const { resources, add } = world();
  add("a", 2);
  const said: string[] = [];
  const waiting = resources.request('job "x"', 3, (message) => said.push(message));
  assert.deepEqual(said, ['job "x" waits for 3 slots; 1 TaskManager with 2 slots is there, 2 of them free, so 1 are missing']);
  const small = await resources.request("small", 2, quiet).granted;
  add("b", 1);
  assert.equal(resources.taskManagers.reduce((sum, { freeSlots }) => sum + freeSlots, 0), 1, "it must not hold slots while it waits");
  for (const grant of small) grant.free();
  assert.deepEqual(counts(await waiting.granted), { a: 2, b: 1 });
});

test("a request fails after its time-out, and can be taken back", async () => {
  const { resources, time, add } = world();
  const canceled = resources.request("job", 1, quiet);
  canceled.cancel();
  await assert.rejects(canceled.granted, { code: "SLOT_REQUEST_CANCELED" });
  const failing = resources.request("job", 1, quiet).granted;
  const rejected = assert.rejects(failing, (error: MillraceError) => error.code === "SLOTS_UNAVAILABLE" && /needs 1 slot; 0 TaskManagers/.test(error.message));
  await time.advance(1001);
  await rejected;
  assert.equal(add("a", 1).freeSlots, 1, "nobody waits any more");
});

test("who holds slots of a lost TaskManager is told once; its slots are gone", async () => {
  const { resources, add } = world();
  const a = add("a", 2);
  const [grant] = await resources.request("job", 1, quiet).granted;
  const told: string[] = [];
  grant!.onLost = (error) => told.push(error.code);
  resources.unregister(a, lost);
  resources.unregister(a, lost);
  assert.deepEqual(told, ["TASK_MANAGER_LOST"]);
  assert.equal(resources.taskManagers.length, 0);
  add("b", 2);
  grant!.free();
  grant!.free();
  assert.equal(resources.taskManagers[0]!.freeSlots, 2);
});

test("a TaskManager that registers again takes the place of the one before", async () => {
  const { resources, add } = world();
  const before = add("a", 2);
  const [grant] = await resources.request("job", 2, quiet).granted;
  let told: MillraceError | undefined;
  grant!.onLost = (error) => (told = error);
  const after = add("a", 2);
  assert.equal(told?.code, "TASK_MANAGER_LOST");
  resources.unregister(before, lost);
  assert.deepEqual(resources.taskManagers, [after]);
  assert.equal(after.freeSlots, 2);
});

test("slots of a request are all of one release, the newest that has enough", async () => {
  const { resources, add } = world();
  const told: string[] = [];
  add("old", 2, "0.9.4");
  add("new", 1, "0.10.0");
  const wide = resources.request("wide", 3, (message) => void told.push(message));
  assert.match(told[0]!, /3 of them free \(all of one release: 0\.10 has 1, 0\.9 has 2\), so 1 are missing/);
  wide.cancel();
  await assert.rejects(wide.granted, { code: "SLOT_REQUEST_CANCELED" });
  assert.deepEqual(counts(await resources.request("fits both", 1, quiet).granted), { new: 1 });
  assert.deepEqual(counts(await resources.request("fits one", 2, quiet).granted), { old: 2 });
});
