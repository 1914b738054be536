import assert from "node:assert/strict";
import { test } from "node:test";
import type { MillraceError } from "@millrace/core";
import { MemoryFileSystem } from "@millrace/testkit";
import { disposeSavepoint, readMetadata } from "../src/index.js";
import { World, silence } from "./scripted-world.js";

const tasks = [["source", 0], ["source", 1], ["map", 0], ["map", 1]] as const;

function acknowledgeAll(world: World, checkpointId: number): void {
  for (const [vertex, subtask] of tasks) world.slots.acknowledge(checkpointId, world.slots.attempt(vertex, subtask));
}

/** Tasks that are told of the checkpoint they stop behind finish. */
function finishOnComplete(world: World): void {
  world.slots.intercept = (command) => {
    if (command.type === "checkpointComplete") for (const [vertex, subtask] of tasks) world.slots.setState(vertex, subtask, "FINISHED");
    return command.type === "checkpointComplete";
  };
}

async function failureOf(world: World, work: Promise<unknown>): Promise<MillraceError> {
  return (await world.time.runUntil(work.then(() => undefined, (error: MillraceError) => error)))!;
}

const lastOptions = (world: World): unknown => world.slots.ofType("triggerCheckpoint").at(-1)!.options;

test("a savepoint is taken beside the checkpoints and changes nothing for the job", async () => {
  const world = new World({ "execution.checkpointing.interval": 1000 });
  await world.time.advance(1500);
  const path = await world.time.runUntil(world.job.triggerSavepoint("/s/"));
  assert.match(path, /^\/s\/savepoint-000000-[0-9a-f]{12}$/);
  assert.deepEqual(lastOptions(world), { savepointDirectory: path });
  const { formatVersion, type, checkpointId } = await readMetadata(world.fs, path);
  assert.deepEqual({ formatVersion, type, checkpointId }, { formatVersion: 1, type: "savepoint", checkpointId: 2 });
  assert.deepEqual(world.slots.ofType("checkpointComplete").map((command) => command.checkpointId), [1, 1], "nothing is committed for it");
  assert.equal(world.job.metrics().checkpointsCompleted, 1);
  const { checkpoints } = world.job.view();
  assert.equal(checkpoints.latest.savepoint!.path, path);
  assert.equal(checkpoints.latest.completed!.checkpointId, 1);
  assert.equal(checkpoints.history[0]!.discarded, false);
  await world.time.advance(499);
  assert.deepEqual(world.triggers.map(([id]) => id), [1, 2]);
  await world.time.advance(1);
  assert.deepEqual(world.triggers.at(-1), [3, 2000], "the schedule is as before");
  await world.time.runUntil(world.job.triggerSavepoint("/s"));
  world.slots.fail("map", 0);
  await world.time.advance(1100);
  assert.equal(world.slots.ofType("deploy").at(-1)!.tasks[0]!.restore!.checkpointId, 3, "the job does not recover from savepoints");
  world.job.cancel();
  await world.time.runUntil(world.job.result.catch(() => undefined));
  assert.equal(world.fs.paths.filter((file) => file.startsWith("/s/")).length, 2, "nor deletes them");
});

test("a savepoint does not wait for a checkpoint in progress", async () => {
  const world = new World({ "execution.checkpointing.interval": 100 });
  silence(world);
  await world.time.advance(100);
  const savepoint = world.job.triggerSavepoint("/s");
  await world.time.advance(1);
  acknowledgeAll(world, 2);
  assert.match(await world.time.runUntil(savepoint), /savepoint-/);
  acknowledgeAll(world, 1);
  await world.time.advance(1);
  assert.equal(world.job.metrics().checkpointsCompleted, 1);
});

test("where a savepoint goes", async () => {
  const configured = new World({ "execution.checkpointing.savepoint-dir": "/d" });
  await configured.time.advance(0);
  assert.match(await configured.time.runUntil(configured.job.triggerSavepoint()), /^\/d\/savepoint-/);
  const oldKey = new World({ "state.savepoints.dir": "/old" });
  await oldKey.time.advance(0);
  assert.match(await oldKey.time.runUntil(oldKey.job.triggerSavepoint()), /^\/old\/savepoint-/);
  const world = new World({});
  await world.time.advance(0);
  assert.equal((await failureOf(world, world.job.triggerSavepoint())).code, "SAVEPOINT_DIRECTORY_MISSING");
  world.fs.mkdirs = async () => {
    throw new Error("read-only");
  };
  const refused = await failureOf(world, world.job.triggerSavepoint("/s"));
  assert.equal(refused.code, "SAVEPOINT_DIRECTORY_INVALID");
  assert.match(refused.message, /"\/s": read-only/);
  world.job.cancel();
  await world.time.runUntil(world.job.result.catch(() => undefined));
  assert.equal((await failureOf(world, world.job.triggerSavepoint("/s"))).code, "JOB_NOT_RUNNING");
});

test("a savepoint that fails is deleted and does not count against the job", async () => {
  const world = new World({ "execution.checkpointing.timeout": 300, "execution.checkpointing.tolerable-failed-checkpoints": 0, "execution.checkpointing.interval": 10_000 });
  await world.time.advance(1);
  silence(world);
  const failure = await failureOf(world, world.job.triggerSavepoint("/s"));
  assert.equal(failure.code, "CHECKPOINT_FAILED");
  assert.match(failure.message, /savepoint 1 failed: not complete after 300 ms/);
  assert.equal(world.job.status, "RUNNING");
  await world.time.advance(1);
  assert.deepEqual(world.fs.paths, []);
});

test("a stop ends with a savepoint that is told to all tasks; checkpoints in progress are given up", async () => {
  const world = new World({ "execution.checkpointing.interval": 100 });
  silence(world);
  await world.time.advance(100);
  finishOnComplete(world);
  const path = await world.time.runUntil(world.job.stopWithSavepoint({ directory: "/s" }));
  assert.deepEqual(lastOptions(world), { savepointDirectory: path, stop: "suspend" });
  assert.deepEqual(world.slots.ofType("checkpointAborted").map((command) => command.checkpointId), [1, 1]);
  assert.deepEqual(world.slots.ofType("checkpointComplete").map((command) => command.checkpointId), [2, 2]);
  assert.equal(world.job.status, "FINISHED");
  assert.deepEqual(world.triggers.map(([id]) => id), [1, 2]);
  assert.deepEqual(world.fs.paths, [`${path}/_metadata`]);
});

test("while a job stops there is no other checkpoint and no other stop", async () => {
  const world = new World({ "execution.checkpointing.interval": 100 });
  await world.time.advance(0);
  silence(world);
  const stopped = world.job.stopWithSavepoint({ directory: "/s", drain: true });
  await world.time.advance(1000);
  assert.deepEqual(world.triggers.map(([id]) => id), [1]);
  assert.match((await failureOf(world, world.job.stopWithSavepoint({ directory: "/s" }))).message, /stopped behind another savepoint/);
  finishOnComplete(world);
  acknowledgeAll(world, 1);
  assert.equal((lastOptions(world) as { stop: string }).stop, "drain");
  assert.match(await world.time.runUntil(stopped), /savepoint-/);
});

test("a stop that fails lets a suspended job go on, and takes a drained one back to its last checkpoint", async () => {
  for (const drain of [false, true]) {
    const world = new World({ "execution.checkpointing.interval": 1000, "execution.checkpointing.timeout": 300 });
    await world.time.advance(1000);
    silence(world);
    const failure = await failureOf(world, world.job.stopWithSavepoint({ directory: "/s", drain }));
    assert.match(failure.message, /savepoint 2 failed: not complete/);
    assert.deepEqual(world.slots.ofType("checkpointAborted").map((command) => command.checkpointId), [2, 2]);
    world.slots.intercept = () => false;
    await world.time.advance(2000);
    assert.equal(world.job.status, "RUNNING");
    assert.equal(world.job.metrics().restarts, drain ? 1 : 0);
    if (drain) assert.equal(world.slots.ofType("deploy").at(-1)!.tasks[0]!.restore!.checkpointId, 1);
    assert.ok(world.job.metrics().checkpointsCompleted > 1, "checkpoints go on");
  }
});

test("a task that fails behind the complete savepoint takes the job back to that", async () => {
  const world = new World({ "execution.checkpointing.interval": 1000 });
  await world.time.advance(1000);
  world.slots.intercept = (command) => {
    if (command.type !== "checkpointComplete") return false;
    world.slots.fail("map", 1, "no commit");
    return true;
  };
  const failure = await failureOf(world, world.job.stopWithSavepoint({ directory: "/s" }));
  assert.equal(failure.code, "STOP_FAILED");
  assert.match(failure.message, /^the savepoint \/s\/savepoint-\S+ is complete, but the job failed while it stopped: no commit/);
  world.slots.intercept = () => false;
  await world.time.advance(1500);
  assert.equal(world.job.status, "RUNNING");
  assert.equal(world.slots.ofType("deploy").at(-1)!.tasks[0]!.restore!.checkpointId, 2);
  assert.deepEqual(world.job.view().checkpoints.latest.restored!.isSavepoint, true);
  await world.time.advance(1500);
  assert.ok(world.fs.paths.some((path) => path.startsWith("/s/")), "the savepoint is its user's");
});

test("a task that finishes meanwhile makes the stop begin again, in another directory", async () => {
  const world = new World({ "execution.checkpointing.interval": 1000 });
  await world.time.advance(0);
  silence(world);
  const stopped = world.job.stopWithSavepoint({ directory: "/s" });
  await world.time.advance(1);
  world.slots.setState("source", 0, "FINISHED");
  await world.time.advance(1);
  const directories = world.slots.ofType("triggerCheckpoint").map((command) => command.options!.savepointDirectory!);
  assert.equal(new Set(directories).size, 2);
  finishOnComplete(world);
  for (const [vertex, subtask] of tasks.slice(1)) world.slots.acknowledge(2, world.slots.attempt(vertex, subtask));
  assert.equal(await world.time.runUntil(stopped), directories.at(-1));
  assert.equal(world.job.metrics().restarts, 0);
});

test("a stop waits for a job that restarts", async () => {
  const world = new World({ "execution.checkpointing.interval": 1000 });
  await world.time.advance(1000);
  world.slots.fail("map", 0);
  await world.time.advance(10);
  assert.equal(world.job.status, "RESTARTING");
  finishOnComplete(world);
  assert.match(await world.time.runUntil(world.job.stopWithSavepoint({ directory: "/s" })), /savepoint-/);
  assert.equal(world.job.status, "FINISHED");
});

test("batch jobs have no savepoints", async () => {
  const world = new World({}, { runtimeMode: "BATCH" });
  await world.time.advance(0);
  assert.equal((await failureOf(world, world.job.triggerSavepoint("/s"))).code, "SAVEPOINT_IN_BATCH");
});

test("disposal deletes what the savepoint names and nothing else, and no checkpoint", async () => {
  const world = new World({});
  await world.time.advance(0);
  const checkpoint = await world.time.runUntil(world.job.triggerCheckpoint());
  const refused = await failureOf(world, disposeSavepoint(world.fs, checkpoint));
  assert.equal(refused.code, "SAVEPOINT_DISPOSAL_REFUSED");
  assert.equal((await failureOf(world, disposeSavepoint(world.fs, "/s/none"))).code, "CHECKPOINT_NOT_FOUND");
  const path = await world.time.runUntil(world.job.triggerSavepoint("/s"));
  await world.fs.writeAtomic(`${path}/notes.txt`, new Uint8Array([1]));
  await world.time.runUntil(disposeSavepoint(world.fs, `${path}/_metadata`));
  assert.deepEqual(world.fs.paths.filter((file) => file.startsWith("/s")), [`${path}/notes.txt`]);
});

test("who may delete what the job started from", async () => {
  const started = async (config: Record<string, unknown>): Promise<{ fs: MemoryFileSystem; path: string; world: World }> => {
    const first = new World({});
    await first.time.advance(0);
    const path = await first.time.runUntil(first.job.triggerSavepoint("/s"));
    first.job.cancel();
    await first.time.runUntil(first.job.result.catch(() => undefined));
    const world = new World({ "execution.state-recovery.path": path, ...config }, { fs: first.fs });
    await world.time.advance(0);
    return { fs: first.fs, path, world };
  };
  const left = await started({});
  await left.world.time.runUntil(left.world.job.triggerCheckpoint());
  left.world.job.cancel();
  await left.world.time.runUntil(left.world.job.result.catch(() => undefined));
  assert.deepEqual(left.fs.paths, [`${left.path}/_metadata`]);

  const claimed = await started({ "execution.state-recovery.claim-mode": "CLAIM" });
  assert.deepEqual(claimed.fs.paths, [`${claimed.path}/_metadata`], "it is the job's only checkpoint");
  await claimed.world.time.runUntil(claimed.world.job.triggerCheckpoint());
  await claimed.world.time.advance(1);
  assert.deepEqual(claimed.fs.paths, ["/c/job/chk-2/_metadata"]);

  const ended = await started({ "execution.savepoint-restore-mode": "claim" });
  ended.world.job.cancel();
  await ended.world.time.runUntil(ended.world.job.result.catch(() => undefined));
  await ended.world.time.advance(1);
  assert.deepEqual(ended.fs.paths, []);
});

test("a stop that is asked for again under its id is the same stop, also when it is over", async () => {
  const world = new World({});
  await world.time.advance(0);
  silence(world);
  const [first, again] = [world.job.stopWithSavepoint({ directory: "/s" }, "one"), world.job.stopWithSavepoint({ directory: "/s" }, "one")];
  await world.time.advance(1);
  finishOnComplete(world);
  acknowledgeAll(world, 1);
  const path = await world.time.runUntil(first);
  assert.equal(await again, path);
  assert.equal(await world.job.stopWithSavepoint({}, "one"), path);
  assert.equal((await failureOf(world, world.job.stopWithSavepoint({}, "two"))).code, "JOB_NOT_RUNNING");
});

test("who waits for a savepoint when the leadership is lost is told to ask the next leader", async () => {
  for (const ask of [(world: World) => world.job.triggerSavepoint("/s"), (world: World) => world.job.stopWithSavepoint({ directory: "/s" }), (world: World) => world.job.triggerCheckpoint()]) {
    const world = new World({});
    await world.time.advance(0);
    silence(world);
    const asked = ask(world);
    asked.catch(() => undefined);
    await world.time.advance(1);
    world.job.suspend();
    assert.equal((await failureOf(world, asked)).code, "JOB_SUSPENDED");
  }
});

test("a native savepoint is in the format of checkpoints, and a job starts from it all the same", async () => {
  const first = new World({});
  await first.time.advance(0);
  const path = await first.time.runUntil(first.job.triggerSavepoint("/s", "NATIVE"));
  const { formatVersion, type, savepointFormat } = await readMetadata(first.fs, path);
  assert.deepEqual({ formatVersion, type, savepointFormat }, { formatVersion: 0, type: "savepoint", savepointFormat: "NATIVE" });
  finishOnComplete(first);
  const stopped = await first.time.runUntil(first.job.stopWithSavepoint({ directory: "/s", formatType: "NATIVE" }));
  assert.equal((await readMetadata(first.fs, stopped)).savepointFormat, "NATIVE");
  const second = new World({ "execution.state-recovery.path": path }, { fs: first.fs });
  await second.time.advance(0);
  assert.equal(second.slots.ofType("deploy")[0]!.tasks[0]!.restore!.checkpointId, 1);
  assert.equal((await failureOf(second, second.job.triggerSavepoint("/s", "OTHER" as never))).code, "SAVEPOINT_FORMAT_UNKNOWN");
});
