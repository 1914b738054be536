import assert from "node:assert/strict";
import { test } from "node:test";
import type { MillraceError } from "@millrace/core";
import type { JobGraph, JobStatus } from "@millrace/graph";
import { JobMaster } from "../src/index.js";
import { MemoryFileSystem, VirtualTime } from "@millrace/testkit";
import { ScriptedSlots, twoVertexGraph } from "./scripted-slots.js";

const CHECKPOINTING = { "execution.checkpointing.interval": 1000 };

class World {
  readonly fs = new MemoryFileSystem();
  readonly time = new VirtualTime({ fs: this.fs });
  readonly slots = new ScriptedSlots(this.time.clock);
  readonly statuses: JobStatus[] = [];
  readonly results: string[] = [];
  readonly job: JobMaster;

  constructor(jobGraph: JobGraph, failAllocation?: Error) {
    this.slots.failAllocation = failAllocation;
    this.job = new JobMaster({
      env: this.time.env, jobGraph, slots: this.slots, checkpointDirectory: "/checkpoints/job", temporaryDirectory: "/tmp/job",
      onStatus: (status) => this.statuses.push(status),
      onCollected: (collectId, subtask, batch) => void this.results.push(`${collectId}/${subtask}/${batch.byteLength}`),
    });
    this.job.start();
  }

  collected(bytes: number, afterCheckpoint: number): void {
    this.slots.emit({ type: "collected", epoch: this.slots.epoch, collectId: "c", subtaskIndex: 0, batch: new ArrayBuffer(bytes), afterCheckpoint });
  }

  finishAll(): void {
    for (const vertex of ["source", "map"]) for (const subtask of [0, 1]) this.slots.setState(vertex, subtask, "FINISHED");
  }
}

test("a job is deployed, started once all tasks are there, and finishes", async () => {
  const world = new World(twoVertexGraph());
  await world.time.advance(0);
  assert.deepEqual(world.slots.commands.map(({ slot, command }) => `${command.type}@${slot}`), [
    "start@0", "start@1", "startCoordinator@0", "deploy@0", "deploy@1", "run@0", "run@1",
  ]);
  assert.deepEqual(world.slots.ofType("deploy")[0]!.tasks.map((task) => task.attempt.vertexId), ["source", "map"]);
  world.finishAll();
  const result = await world.time.runUntil(world.job.result);
  assert.equal(result.jobName, "test");
  assert.deepEqual(world.statuses, ["CREATED", "RUNNING", "FINISHED"]);
  assert.equal(world.slots.releases, 1);
});

test("without checkpointing a failure is final and names its cause", async () => {
  const world = new World(twoVertexGraph());
  await world.time.advance(0);
  world.slots.fail("map", 1);
  await assert.rejects(world.time.runUntil(world.job.result), (error: MillraceError) => {
    assert.equal(error.code, "JOB_FAILED");
    assert.equal((error.cause as Error).message, "boom");
    return true;
  });
  assert.deepEqual(world.statuses, ["CREATED", "RUNNING", "FAILING", "FAILED"]);
  assert.equal(world.job.exceptionHistory[0]!.taskName, "map (2/2)");
});

test("a failed job goes back to its last completed checkpoint in a new epoch", async () => {
  const world = new World(twoVertexGraph({ ...CHECKPOINTING, "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.delay": 500 }));
  await world.time.advance(2500);
  assert.equal(world.job.metrics().checkpointsCompleted, 2);
  assert.deepEqual(world.fs.paths, ["/checkpoints/job/chk-2/_metadata"]);
  world.slots.fail("source", 0);
  await world.time.advance(499);
  assert.equal(world.job.status, "RESTARTING");
  assert.equal(world.slots.allocations, 1);
  await world.time.advance(10);
  assert.equal(world.job.status, "RUNNING");
  const [redeployed] = world.slots.ofType("deploy").filter((command) => command.epoch === 2);
  assert.equal(redeployed!.tasks[0]!.attempt.attemptNumber, 1);
  assert.equal(redeployed!.tasks[0]!.restore!.checkpointId, 2);
  const coordinator = world.slots.ofType("startCoordinator").at(-1)!;
  assert.deepEqual([...coordinator.restored!], [7]);
  await world.time.advance(1000);
  assert.deepEqual(world.fs.paths, ["/checkpoints/job/chk-3/_metadata"]);
  world.slots.fail("source", 0);
  await assert.rejects(world.time.runUntil(world.job.result), { code: "JOB_FAILED" });
});

test("events of an earlier epoch or attempt have no effect", async () => {
  const world = new World(twoVertexGraph({ ...CHECKPOINTING }));
  await world.time.advance(0);
  const old = { attempt: world.slots.attempt("map", 0), request: world.slots.request };
  world.slots.fail("map", 1);
  await world.time.advance(2000);
  assert.equal(world.job.status, "RUNNING");
  old.request.onEvent(0, { type: "taskState", epoch: 1, attempt: old.attempt, state: "FAILED", error: { name: "Error", message: "late" } });
  old.request.onEvent(0, { type: "slotFailed", error: { name: "Error", message: "late" } });
  world.slots.emit({ type: "taskState", epoch: 2, attempt: old.attempt, state: "FAILED", error: { name: "Error", message: "late" } });
  await world.time.advance(10);
  assert.equal(world.job.status, "RUNNING");
  assert.equal(world.job.metrics().restarts, 1);
});

test("a task that does not stop is given up after the cancellation timeout", async () => {
  const world = new World(twoVertexGraph({ "task.cancellation.timeout": 700 }));
  await world.time.advance(0);
  world.slots.intercept = (command) => command.type === "cancel";
  world.job.cancel();
  await world.time.advance(699);
  assert.equal(world.job.status, "CANCELLING");
  assert.equal(world.slots.releases, 0);
  await assert.rejects(world.time.runUntil(world.job.result), { code: "JOB_CANCELED" });
  assert.equal(world.time.clock.nowMs(), 700);
  assert.equal(world.slots.releases, 1);
});

test("cancelling while slots are allocated, or while waiting for a restart, ends the job", async () => {
  const early = new World(twoVertexGraph());
  early.job.cancel();
  await assert.rejects(early.time.runUntil(early.job.result), { code: "JOB_CANCELED" });
  const waiting = new World(twoVertexGraph({ ...CHECKPOINTING }));
  await waiting.time.advance(0);
  waiting.slots.fail("map", 0);
  await waiting.time.advance(1);
  assert.equal(waiting.job.status, "RESTARTING");
  waiting.job.cancel();
  await assert.rejects(waiting.time.runUntil(waiting.job.result), { code: "JOB_CANCELED" });
  assert.equal(waiting.slots.allocations, 1);
});

test("an error that no restart can repair fails the job at once", async () => {
  const world = new World(twoVertexGraph({ ...CHECKPOINTING }));
  await world.time.advance(0);
  world.slots.setState("map", 0, "FAILED", { name: "MillraceError", code: "JOB_NOT_DETERMINISTIC", recovery: "fail", message: "differs" });
  await assert.rejects(world.time.runUntil(world.job.result), { code: "JOB_FAILED" });
});

test("slots that cannot be had count as a failure; a lost slot restarts the job", async () => {
  const none = new World(twoVertexGraph(), new Error("no slots"));
  await assert.rejects(none.time.runUntil(none.job.result), (error: Error) => (error.cause as Error).message === "no slots");
  const lost = new World(twoVertexGraph({ ...CHECKPOINTING }));
  await lost.time.advance(0);
  lost.slots.emit({ type: "slotFailed", error: { name: "Error", message: "out of memory" } }, 1);
  await lost.time.advance(2000);
  assert.equal(lost.job.metrics().restarts, 1);
  assert.equal(lost.job.status, "RUNNING");
});

test("slots that are lost while others are still being allocated end one deployment, once", async () => {
  const world = new World(twoVertexGraph({ ...CHECKPOINTING, "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 10, "restart-strategy.fixed-delay.delay": 5 }));
  await world.time.advance(0);
  assert.equal(world.slots.allocations, 1);
  const allocate = world.slots.allocate.bind(world.slots);
  let refuse: ((error: Error) => void) | undefined;
  world.slots.allocate = (request) => {
    if (refuse !== undefined) return allocate(request);
    world.slots.request = request;
    return new Promise((_, reject) => (refuse = reject));
  };
  world.slots.fail("map", 0);
  await world.time.advance(50);
  assert.ok(refuse !== undefined, "the second deployment waits for its slots");
  for (const slot of [0, 1]) world.slots.emit({ type: "slotFailed", error: { name: "Error", message: "the TaskManager was lost" } }, slot);
  await world.time.advance(50);
  assert.equal(world.slots.allocations, 1, "the allocation has not ended");
  refuse(new Error("the TaskManager was lost"));
  await world.time.advance(50);
  assert.equal(world.slots.allocations, 2);
  assert.deepEqual(world.statuses, ["CREATED", "RUNNING", "RESTARTING", "RUNNING", "RESTARTING", "RUNNING"]);
});

test("events of a source coordinator are held between its snapshot and the trigger of its tasks", async () => {
  const world = new World(twoVertexGraph());
  await world.time.advance(0);
  world.slots.commands.length = 0;
  const assign = (split: number): void => world.slots.emit({
    type: "operatorEvent", epoch: 1, operatorId: "source-op", subtaskIndex: 1, event: { kind: "assignSplits", splits: [new Uint8Array([split])] },
  });
  world.slots.intercept = (command) => {
    if (command.type !== "snapshotCoordinator") return false;
    assign(1);
    world.slots.emit({ type: "coordinatorSnapshot", epoch: 1, operatorId: "source-op", checkpointId: command.checkpointId, state: new Uint8Array() });
    return true;
  };
  const done = world.job.triggerCheckpoint();
  assert.equal(await world.time.runUntil(done), "/checkpoints/job/chk-1");
  assert.deepEqual(world.slots.commands.map(({ command }) => command.type), [
    "snapshotCoordinator", "operatorEvent", "triggerCheckpoint", "triggerCheckpoint", "checkpointComplete", "checkpointComplete",
  ]);
});

test("checkpoints start at the tasks whose upstream has finished", async () => {
  const world = new World(twoVertexGraph());
  await world.time.advance(0);
  world.slots.setState("source", 0, "FINISHED");
  await world.time.advance(0);
  await world.time.runUntil(world.job.triggerCheckpoint());
  assert.deepEqual(world.slots.ofType("triggerCheckpoint").flatMap((c) => c.tasks.map((t) => `${t.vertexId}${t.subtaskIndex}`)), ["source1"]);
  world.slots.setState("source", 1, "FINISHED");
  await world.time.advance(0);
  world.slots.commands.length = 0;
  await world.time.runUntil(world.job.triggerCheckpoint());
  assert.deepEqual(world.slots.ofType("triggerCheckpoint").flatMap((c) => c.tasks.map((t) => `${t.vertexId}${t.subtaskIndex}`)), ["map0", "map1"]);
});

test("sinks that wait to finish get a last checkpoint, with no interval set", async () => {
  const world = new World(twoVertexGraph());
  await world.time.advance(0);
  for (const subtask of [0, 1]) world.slots.setState("source", subtask, "FINISHED");
  for (const subtask of [0, 1]) world.slots.emit({ type: "finalCheckpointNeeded", epoch: 1, attempt: world.slots.attempt("map", subtask) });
  world.slots.intercept = (command, slot) => {
    if (command.type === "checkpointComplete") world.slots.setState("map", slot, "FINISHED");
    return false;
  };
  await world.time.runUntil(world.job.result);
  assert.equal(world.slots.ofType("checkpointComplete").length, 2);
  assert.equal(world.job.metrics().checkpointsCompleted, 1);
});

test("results are handed over when the checkpoint that covers them is complete, and never twice", async () => {
  const world = new World(twoVertexGraph({ ...CHECKPOINTING }));
  await world.time.advance(0);
  world.collected(1, 0);
  await world.time.advance(500);
  assert.deepEqual(world.results, []);
  world.slots.intercept = (command) => {
    if (command.type === "triggerCheckpoint") world.collected(2, command.checkpointId);
    return false;
  };
  await world.time.advance(600);
  assert.deepEqual(world.results, ["c/0/1"]);
  world.slots.intercept = () => false;
  world.slots.fail("map", 0);
  await world.time.advance(1500);
  assert.equal(world.job.status, "RUNNING");
  world.collected(3, 1);
  world.finishAll();
  await world.time.runUntil(world.job.result);
  assert.deepEqual(world.results, ["c/0/1", "c/0/3"]);
});

test("watermark alignment holds a group to its slowest member plus the drift", async () => {
  const world = new World(twoVertexGraph());
  await world.time.advance(0);
  const report = (subtaskIndex: number, watermarkMs: number): void => world.slots.emit({
    type: "coordinatorEvent", epoch: 1, operatorId: "source-op", subtaskIndex, event: { kind: "watermarkReport", watermarkMs, group: "g", maxDriftMs: 10 },
  });
  report(0, 100);
  report(1, 50);
  await world.time.advance(0);
  const last = world.slots.ofType("operatorEvent").slice(-2).map((command) => [command.subtaskIndex, command.event]);
  assert.deepEqual(last, [[0, { kind: "alignment", maxWatermarkMs: 60 }], [1, { kind: "alignment", maxWatermarkMs: 60 }]]);
});

test("a task hears what of its results was taken when the program has taken it, and not before", async () => {
  const time = new VirtualTime();
  const slots = new ScriptedSlots(time.clock);
  const takes: (() => void)[] = [];
  const job = new JobMaster({
    env: time.env, jobGraph: twoVertexGraph({ "collect-sink.batch-size.max": 400 }), slots, checkpointDirectory: "/c/job", temporaryDirectory: "/tmp/job",
    onCollected: () => new Promise((resolve) => takes.push(resolve)), onLog: () => undefined,
  });
  job.start();
  await time.advance(0);
  const attempt = slots.attempt("map", 1);
  const send = (bytes: number): void => slots.emit({ type: "collected", epoch: 1, collectId: "c", subtaskIndex: 1, batch: new ArrayBuffer(bytes), afterCheckpoint: 0, attempt }, 1);
  const told = (): number[] => slots.ofType("resultsTaken").map(({ bytes }) => bytes);
  send(60);
  send(60);
  await time.advance(10);
  assert.deepEqual(told(), []);
  takes.forEach((take) => take());
  await time.advance(10);
  assert.deepEqual(told(), [120], "a quarter of the window at a time");
  slots.emit({ type: "log", level: "print", line: "x".repeat(100), attempt }, 1);
  slots.emit({ type: "log", level: "info", line: "y".repeat(1000) }, 1);
  await time.advance(10);
  assert.deepEqual(told(), [120, 100]);
  send(500);
  await time.advance(1);
  slots.fail("map", 1);
  await time.advance(1);
  takes.at(-1)!();
  await time.advance(10);
  assert.deepEqual(told(), [120, 100], "another attempt begins with an empty window");
});
