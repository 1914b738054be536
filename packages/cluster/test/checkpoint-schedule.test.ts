import assert from "node:assert/strict";
import { test } from "node:test";
import { World, silence } from "./scripted-world.js";

function acknowledgeAll(world: World, checkpointId: number): void {
  for (const vertex of ["source", "map"]) for (const subtask of [0, 1]) world.slots.acknowledge(checkpointId, world.slots.attempt(vertex, subtask));
}

const ids = (world: World): number[] => world.triggers.map(([id]) => id);

test("as many checkpoints are in progress as may be, each at its interval", async () => {
  const world = new World({ "execution.checkpointing.interval": 100, "execution.checkpointing.max-concurrent-checkpoints": 3 });
  silence(world);
  await world.time.advance(1000);
  assert.deepEqual(world.triggers, [[1, 100], [2, 200], [3, 300]]);
  acknowledgeAll(world, 1);
  await world.time.advance(10);
  assert.deepEqual(world.triggers.at(-1), [4, 1000], "the one that was due begins at once");
  assert.equal(world.job.metrics().checkpointsCompleted, 1);
});

test("a complete checkpoint ends older ones in progress, also those whose metadata is being written", async () => {
  const world = new World({ "execution.checkpointing.interval": 100, "execution.checkpointing.max-concurrent-checkpoints": 3 });
  silence(world);
  await world.time.advance(300);
  let release!: () => void;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const writeAtomic = world.fs.writeAtomic.bind(world.fs);
  world.fs.writeAtomic = (path, bytes) => {
    if (!path.includes("chk-2/")) return writeAtomic(path, bytes);
    // Not awaited inside the environment, or time would stand still.
    return { then: (resolve: () => void) => void gate.then(() => writeAtomic(path, bytes)).then(resolve) } as unknown as Promise<void>;
  };
  acknowledgeAll(world, 2);
  await world.time.advance(1);
  acknowledgeAll(world, 3);
  await world.time.advance(1);
  release();
  await world.time.advance(1);
  assert.deepEqual(world.slots.ofType("checkpointComplete").map((command) => command.checkpointId), [3, 3]);
  assert.deepEqual(world.slots.ofType("checkpointAborted").map((command) => command.checkpointId), [1, 1, 2, 2]);
  acknowledgeAll(world, 1);
  await world.time.advance(1);
  assert.equal(world.job.metrics().checkpointsCompleted, 1);
  assert.deepEqual(world.fs.paths, ["/c/job/chk-3/_metadata"]);
  assert.equal(world.job.status, "RUNNING", "that is no failure");
});

test("with a least pause one checkpoint is in progress at a time", async () => {
  const world = new World({ "execution.checkpointing.interval": 100, "execution.checkpointing.max-concurrent-checkpoints": 3, "execution.checkpointing.min-pause": 10 });
  silence(world);
  await world.time.advance(1000);
  assert.deepEqual(ids(world), [1]);
});

test("source coordinators answer for one checkpoint after the other", async () => {
  const world = new World({ "execution.checkpointing.interval": 100, "execution.checkpointing.max-concurrent-checkpoints": 2 });
  world.slots.intercept = (command) => command.type === "snapshotCoordinator" || command.type === "triggerCheckpoint";
  await world.time.advance(500);
  assert.deepEqual(world.slots.ofType("snapshotCoordinator").map((command) => command.checkpointId), [1]);
  const answer = (checkpointId: number): void =>
    world.slots.emit({ type: "coordinatorSnapshot", epoch: world.slots.epoch, operatorId: "source-op", checkpointId, state: new Uint8Array([1]) });
  answer(1);
  await world.time.advance(1);
  assert.deepEqual(ids(world), [1]);
  assert.deepEqual(world.slots.ofType("snapshotCoordinator").map((command) => command.checkpointId), [1, 2]);
  world.slots.emit({ type: "operatorEvent", epoch: world.slots.epoch, operatorId: "source-op", subtaskIndex: 0, event: { kind: "noMoreSplits" } });
  await world.time.advance(1);
  assert.deepEqual(world.slots.ofType("operatorEvent").length, 1, "it has not answered for the second, so nothing is held");
  answer(2);
  await world.time.advance(1);
  assert.deepEqual(ids(world), [1, 2]);
});

test("while a source reads a backlog, checkpoints come at the interval for that, or not at all", async () => {
  const backlog = (world: World, isProcessing: boolean): void =>
    world.slots.emit({ type: "processingBacklog", epoch: world.slots.epoch, operatorId: "source-op", isProcessing });
  const none = new World({ "execution.checkpointing.interval": 100, "execution.checkpointing.interval-during-backlog": 0 });
  await none.time.advance(0);
  backlog(none, true);
  await none.time.advance(950);
  assert.equal(none.triggers.length, 0);
  backlog(none, false);
  await none.time.advance(1);
  assert.deepEqual(none.triggers.map(([, atMs]) => atMs), [950], "one is overdue");
  await none.time.advance(150);
  assert.equal(none.triggers.length, 2);

  const rare = new World({ "execution.checkpointing.interval": 100, "execution.checkpointing.interval-during-backlog": 400 });
  await rare.time.advance(0);
  backlog(rare, true);
  await rare.time.advance(1000);
  assert.deepEqual(rare.triggers.map(([, atMs]) => atMs), [400, 800]);

  const same = new World({ "execution.checkpointing.interval": 100 });
  await same.time.advance(0);
  backlog(same, true);
  await same.time.advance(250);
  assert.equal(same.triggers.length, 2);
});

test("a restart forgets the backlog; the sources tell again", async () => {
  const world = new World({ "execution.checkpointing.interval": 100, "execution.checkpointing.interval-during-backlog": 0, "restart-strategy.exponential-delay.initial-backoff": 10 });
  await world.time.advance(0);
  world.slots.emit({ type: "processingBacklog", epoch: world.slots.epoch, operatorId: "source-op", isProcessing: true });
  await world.time.advance(500);
  world.slots.fail("map", 0);
  await world.time.advance(200);
  assert.equal(world.triggers.length, 1);
});

test("a checkpoint can be asked for that refers to no files of others", async () => {
  const world = new World({});
  await world.time.advance(0);
  await world.time.runUntil(world.job.triggerCheckpoint(true));
  await world.time.runUntil(world.job.triggerCheckpoint());
  const options = new Map(world.slots.ofType("triggerCheckpoint").map((command) => [command.checkpointId, command.options]));
  assert.deepEqual([...options], [[1, { full: true }], [2, {}]]);
});
