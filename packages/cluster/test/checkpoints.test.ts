import assert from "node:assert/strict";
import { test } from "node:test";
import type { MillraceError } from "@millrace/core";
import type { SlotEvent } from "@millrace/runtime";
import { MemoryFileSystem, VirtualTime } from "@millrace/testkit";
import { JobMaster, METADATA_FORMAT_VERSION, readMetadata } from "../src/index.js";
import { World, silence } from "./scripted-world.js";
import { twoVertexGraph, ScriptedSlots } from "./scripted-slots.js";

test("checkpoints come at their interval, and keep the least pause after a slow one", async () => {
  const world = new World({ "execution.checkpointing.interval": 100, "execution.checkpointing.min-pause": 80 });
  await world.time.advance(250);
  assert.deepEqual(world.triggers, [[1, 100], [2, 200]]);
  silence(world);
  await world.time.advance(120);
  for (const vertex of ["source", "map"]) for (const subtask of [0, 1]) world.slots.acknowledge(3, world.slots.attempt(vertex, subtask));
  world.slots.intercept = () => false;
  await world.time.advance(79);
  assert.equal(world.triggers.length, 3);
  await world.time.advance(5);
  assert.deepEqual(world.triggers.at(-1), [4, 450]);
});

test("one at a time: the next waits for a slow one", async () => {
  const world = new World({ "execution.checkpointing.interval": 100 });
  silence(world);
  await world.time.advance(1000);
  assert.deepEqual(world.triggers, [[1, 100]]);
});

test("a checkpoint that takes too long is aborted, told to the tasks, and its files are deleted", async () => {
  const world = new World({ "execution.checkpointing.interval": 100, "execution.checkpointing.timeout": 300, "execution.checkpointing.tolerable-failed-checkpoints": 5 });
  silence(world);
  await world.time.advance(100);
  await (await world.fs.create("/c/job/chk-1/state")).close();
  await world.time.advance(300);
  assert.deepEqual(world.slots.ofType("checkpointAborted").map((command) => command.checkpointId), [1, 1]);
  assert.deepEqual(world.fs.paths, []);
  assert.equal(world.job.status, "RUNNING");
  // What comes for it later changes nothing.
  for (const vertex of ["source", "map"]) for (const subtask of [0, 1]) world.slots.acknowledge(1, world.slots.attempt(vertex, subtask));
  await world.time.advance(10);
  assert.equal(world.job.metrics().checkpointsCompleted, 0);
});

test("more failures in a row than are tolerable restart the job; a success starts the count anew", async () => {
  const world = new World({ "execution.checkpointing.interval": 100, "execution.checkpointing.tolerable-failed-checkpoints": 1 });
  const decline = (): void => {
    world.slots.intercept = (command) => {
      if (command.type !== "triggerCheckpoint") return false;
      world.slots.emit({
        type: "declineCheckpoint", epoch: world.slots.epoch, checkpointId: command.checkpointId, attempt: world.slots.attempt("map", 0),
        error: { name: "Error", message: "disk full" },
      });
      return true;
    };
  };
  decline();
  await world.time.advance(100);
  world.slots.intercept = () => false;
  await world.time.advance(100);
  decline();
  await world.time.advance(100);
  assert.equal(world.job.metrics().restarts, 0);
  decline();
  await world.time.advance(100);
  assert.equal(world.job.status, "RESTARTING");
  const [entry] = world.job.exceptionHistory;
  assert.equal(entry!.error.code, "CHECKPOINT_FAILURES_EXCEEDED");
  assert.match(entry!.error.cause!.message, /disk full/);
});

test("a checkpoint that a task gives up for a newer one is no failure", async () => {
  const world = new World({ "execution.checkpointing.interval": 100, "execution.checkpointing.max-concurrent-checkpoints": 3, "execution.checkpointing.tolerable-failed-checkpoints": 0 });
  silence(world);
  await world.time.advance(250);
  assert.deepEqual(world.triggers, [[1, 100], [2, 200]]);
  const error = { name: "MillraceError", code: "CHECKPOINT_SUBSUMED", message: "checkpoint 2 overtook it" };
  world.slots.emit({ type: "declineCheckpoint", epoch: world.slots.epoch, checkpointId: 1, attempt: world.slots.attempt("map", 0), error });
  await world.time.advance(10);
  assert.equal(world.job.metrics().restarts, 0);
  assert.equal(world.job.status, "RUNNING");
  for (const vertex of ["source", "map"]) for (const subtask of [0, 1]) world.slots.acknowledge(2, world.slots.attempt(vertex, subtask));
  await world.time.advance(10);
  assert.equal(world.job.metrics().checkpointsCompleted, 1);
});

test("duplicate and stale acknowledgements are ignored", async () => {
  const world = new World({});
  await world.time.advance(0);
  silence(world);
  void world.job.triggerCheckpoint();
  await world.time.advance(0);
  const state = { operators: {}, stateBytes: 10, writtenBytes: 4 };
  for (let i = 0; i < 3; i++) world.slots.acknowledge(1, world.slots.attempt("source", 0), state);
  world.slots.acknowledge(1, { vertexId: "source", subtaskIndex: 1, attemptNumber: 7 }, state);
  world.slots.acknowledge(2, world.slots.attempt("source", 1), state);
  world.slots.acknowledge(1, world.slots.attempt("source", 1), state, 9);
  await world.time.advance(0);
  assert.equal(world.job.metrics().checkpointsCompleted, 0);
  for (const [vertex, subtask] of [["source", 1], ["map", 0], ["map", 1]] as const) world.slots.acknowledge(1, world.slots.attempt(vertex, subtask), state);
  await world.time.advance(0);
  assert.equal(world.job.metrics().checkpointsCompleted, 1);
  assert.equal((await readMetadata(world.fs, "/c/job/chk-1")).stateBytes, 40);
});

test("a checkpoint whose metadata is still being written when the job fails does not count", async () => {
  const world = new World({ "execution.checkpointing.interval": 100, "restart-strategy.exponential-delay.initial-backoff": 10 });
  let written!: () => void;
  const gate = new Promise<void>((resolve) => {
    written = resolve;
  });
  const writeAtomic = world.fs.writeAtomic.bind(world.fs);
  let writing = false;
  world.fs.writeAtomic = (path, bytes) => {
    writing = true;
    // Not awaited inside the environment, or time would stand still.
    return { then: (resolve: () => void) => void gate.then(() => writeAtomic(path, bytes)).then(resolve) } as unknown as Promise<void>;
  };
  await world.time.advance(100);
  assert.ok(writing);
  world.slots.fail("map", 0);
  await world.time.advance(50);
  assert.equal(world.job.status, "RUNNING");
  assert.equal(world.slots.ofType("deploy").at(-1)!.tasks[0]!.restore, undefined);
  world.fs.writeAtomic = writeAtomic;
  written();
  await world.time.advance(1);
  assert.equal(world.job.metrics().checkpointsCompleted, 0);
  assert.deepEqual(world.fs.paths, []);
});

test("the files of a checkpoint whose metadata is still being written when the job ends are deleted after it, not before", async () => {
  const world = new World({ "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION" });
  await world.time.advance(0);
  await world.time.runUntil(world.job.triggerCheckpoint());
  let written!: () => void;
  const gate = new Promise<void>((resolve) => {
    written = resolve;
  });
  const writeAtomic = world.fs.writeAtomic.bind(world.fs);
  // Not awaited inside the environment, or time would stand still.
  world.fs.writeAtomic = (path, bytes) => ({ then: (resolve: () => void) => void gate.then(() => writeAtomic(path, bytes)).then(resolve) }) as unknown as Promise<void>;
  const deleted: string[] = [];
  const deletes = world.fs.delete.bind(world.fs);
  world.fs.delete = async (path) => {
    deleted.push(path);
    await deletes(path);
  };
  world.job.triggerCheckpoint().catch(() => undefined);
  await world.time.advance(10);
  world.job.cancel();
  await world.time.advance(10);
  assert.ok(!deleted.includes("/c/job/chk-2"));
  written();
  await world.time.runUntil(world.job.result.catch(() => undefined));
  assert.equal(world.job.status, "CANCELED");
  assert.ok(deleted.includes("/c/job/chk-2"), "whoever looks for the last checkpoint of a job that has ended does not find this one");
  assert.deepEqual(world.fs.paths, ["/c/job/chk-1/_metadata"]);
});

test("a checkpoint is retained as the options say", async () => {
  const retained = async (retention: string, end: (world: World) => void): Promise<string[]> => {
    const world = new World({ "execution.checkpointing.externalized-checkpoint-retention": retention, "execution.checkpointing.num-retained": 2 });
    await world.time.advance(0);
    for (let i = 0; i < 3; i++) await world.time.runUntil(world.job.triggerCheckpoint());
    end(world);
    await world.time.runUntil(world.job.result.catch(() => undefined));
    await world.time.advance(0);
    return world.fs.paths;
  };
  const cancel = (world: World): void => world.job.cancel();
  const fail = (world: World): void => world.slots.fail("map", 0);
  const both = ["/c/job/chk-2/_metadata", "/c/job/chk-3/_metadata"];
  assert.deepEqual(await retained("NO_EXTERNALIZED_CHECKPOINTS", cancel), []);
  assert.deepEqual(await retained("DELETE_ON_CANCELLATION", cancel), []);
  assert.deepEqual(await retained("DELETE_ON_CANCELLATION", fail), both);
  assert.deepEqual(await retained("RETAIN_ON_CANCELLATION", cancel), both);
});

/** State as the runtime reports it: the subtask's key groups, and a list of three elements. */
function stateOf(subtask: number, parallelism: number): Extract<SlotEvent, { type: "acknowledgeCheckpoint" }>["state"] {
  const first = Math.ceil((subtask * 128) / parallelism);
  const last = Math.ceil(((subtask + 1) * 128) / parallelism) - 1;
  const keyGroups = Array.from({ length: last - first + 1 }, (_, i) => ({ keyGroup: first + i, offset: i, length: 1 }));
  return {
    stateBytes: 5, writtenBytes: 5,
    operators: {
      "map-op": {
        keyed: [{ keyGroupRange: [first, last], keyGroups, file: { path: `map-${subtask}`, offset: 0, length: keyGroups.length } }],
        operator: [{ states: [{ name: "list", mode: "SPLIT_DISTRIBUTE", offsets: [0, 1, 2], end: 3 }], file: { path: `map-${subtask}`, offset: 50, length: 3 } }],
      },
    },
  };
}

async function checkpointAt(fs: MemoryFileSystem): Promise<string> {
  const world = new World({ "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION" }, { fs });
  await world.time.advance(0);
  silence(world);
  const done = world.job.triggerCheckpoint();
  await world.time.advance(0);
  for (const subtask of [0, 1]) {
    world.slots.acknowledge(1, world.slots.attempt("source", subtask));
    world.slots.acknowledge(1, world.slots.attempt("map", subtask), stateOf(subtask, 2));
  }
  const path = await world.time.runUntil(done);
  world.slots.intercept = () => false;
  world.job.cancel();
  await world.time.runUntil(world.job.result.catch(() => undefined));
  return path;
}

test("a retained checkpoint is restored at any parallelism: every key group and element goes to exactly one subtask", async () => {
  const fs = new MemoryFileSystem();
  const path = await checkpointAt(fs);
  for (const parallelism of [1, 2, 3, 5]) {
    const world = new World({ "execution.state-recovery.path": path }, { fs, parallelism });
    await world.time.advance(0);
    assert.equal(world.job.status, "RUNNING");
    const tasks = world.slots.ofType("deploy").flatMap((command) => command.tasks).filter((task) => task.attempt.vertexId === "map");
    const restored = tasks.map((task) => task.restore!.operators["map-op"]!);
    const keyGroups = restored.flatMap((operator) => (operator.keyed as { keyGroups: { keyGroup: number }[]; file: { path: string } }[]).flatMap((handle) => handle.keyGroups.map((group) => group.keyGroup)));
    assert.deepEqual(keyGroups.sort((a, b) => a - b), Array.from({ length: 128 }, (_, i) => i));
    const lists = restored.flatMap((operator) => operator.operator as { handle: { file: { path: string } }; assignments: { from: number; to: number }[] }[]);
    const elements = lists.flatMap(({ handle, assignments }) => assignments.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => `${handle.file.path}:${from + i}`)));
    assert.deepEqual(elements.sort(), [0, 1].flatMap((subtask) => [0, 1, 2].map((i) => `${path}/map-${subtask}:${i}`)));
    world.job.cancel();
    await world.time.runUntil(world.job.result.catch(() => undefined));
    assert.deepEqual(fs.paths, [`${path}/_metadata`], "a restored checkpoint belongs to its user");
  }
});

test("ids go on after the restored checkpoint's", async () => {
  const fs = new MemoryFileSystem();
  const path = await checkpointAt(fs);
  const world = new World({ "execution.state-recovery.path": path }, { fs });
  await world.time.advance(0);
  assert.match(await world.time.runUntil(world.job.triggerCheckpoint()), /chk-2$/);
});

test("a checkpoint that does not fit is refused by name, before anything starts", async () => {
  const failure = async (config: Record<string, unknown>, fs: MemoryFileSystem, change: (graph: ReturnType<typeof twoVertexGraph>) => object = () => ({})): Promise<MillraceError> => {
    const time = new VirtualTime({ fs });
    const slots = new ScriptedSlots(time.clock);
    const graph = twoVertexGraph(config);
    const job = new JobMaster({ env: time.env, jobGraph: { ...graph, ...change(graph) }, slots, checkpointDirectory: "/c/other", temporaryDirectory: "/tmp/other" });
    job.start();
    const error = (await time.runUntil(job.result.then(() => undefined, (thrown: MillraceError) => thrown)))!;
    assert.equal(slots.allocations, 0);
    return error.cause as MillraceError;
  };
  const fs = new MemoryFileSystem();
  const path = await checkpointAt(fs);
  const restore = { "execution.state-recovery.path": path };
  const renamed = (graph: ReturnType<typeof twoVertexGraph>): object => ({
    vertices: graph.vertices.map((vertex) => ({ ...vertex, operators: vertex.operators.map((operator) => ({ ...operator, id: `${operator.id}-new` })) })),
  });
  const unmatched = await failure(restore, fs, renamed);
  assert.equal(unmatched.code, "CHECKPOINT_STATE_UNMATCHED");
  assert.match(unmatched.message, /"map" \(map-op\)/);
  const wider = await failure(restore, fs, (graph) => ({ vertices: graph.vertices.map((vertex) => ({ ...vertex, maxParallelism: 256 })) }));
  assert.equal(wider.code, "CHECKPOINT_MAX_PARALLELISM");
  assert.match(wider.message, /128 but now has 256/);
  const missing = await failure({ "execution.state-recovery.path": "/c/job" }, fs);
  assert.equal(missing.code, "CHECKPOINT_NOT_FOUND");
  assert.match(missing.hint!, /chk-1/);
  await fs.writeAtomic("/c/bad/chk-1/_metadata", new TextEncoder().encode("{"));
  assert.equal((await failure({ "execution.state-recovery.path": "/c/bad/chk-1" }, fs)).code, "CHECKPOINT_UNREADABLE");
  await fs.writeAtomic("/c/new/chk-1/_metadata", new TextEncoder().encode(JSON.stringify({ formatVersion: METADATA_FORMAT_VERSION + 1, operators: [] })));
  assert.match((await failure({ "execution.state-recovery.path": "/c/new/chk-1" }, fs)).message, /format 1/);
});
