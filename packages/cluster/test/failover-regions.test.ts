import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobGraph, JobStatus } from "@millrace/graph";
import { MemoryFileSystem, VirtualTime } from "@millrace/testkit";
import { JobMaster } from "../src/index.js";
import { failoverRegions } from "../src/scheduler/failover-regions.js";
import { ScriptedSlots, twoPipelines, twoVertexGraph } from "./scripted-slots.js";

const CONFIG = { "jobmanager.execution.failover-strategy": "region", "execution.checkpointing.interval": 1000, "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 2, "restart-strategy.fixed-delay.delay": 500 };
const DELAY_MS = 500;

class World {
  readonly fs = new MemoryFileSystem();
  readonly time = new VirtualTime({ fs: this.fs });
  readonly slots = new ScriptedSlots(this.time.clock);
  readonly statuses: JobStatus[] = [];
  readonly results: string[] = [];
  readonly job: JobMaster;

  constructor(jobGraph: JobGraph) {
    this.job = new JobMaster({
      env: this.time.env, jobGraph, slots: this.slots, checkpointDirectory: "/checkpoints/job", temporaryDirectory: "/tmp/job",
      onStatus: (status) => this.statuses.push(status),
      onCollected: (collectId) => void this.results.push(collectId),
    });
    this.job.start();
  }

  /** Vertices in the order they were deployed, with their attempt and the checkpoint they start from. */
  get deployed(): string[] {
    return this.slots.ofType("deploy").flatMap(({ tasks }) => tasks.filter(({ attempt }) => attempt.subtaskIndex === 0)
      .map(({ attempt, restore }) => `${attempt.vertexId}#${attempt.attemptNumber}${restore === undefined ? "" : `@${restore.checkpointId}`}`));
  }

  collected(collectId: string, vertex: string): void {
    this.slots.emit({ type: "collected", epoch: this.slots.epochOf(vertex), collectId, subtaskIndex: 0, batch: new ArrayBuffer(1), afterCheckpoint: 1 });
  }
}

test("regions are what exchanges records, whichever way round", () => {
  const names = (jobGraph: JobGraph): string[] => failoverRegions(jobGraph).map(({ vertices }) => vertices.map(({ id }) => id).join(" "));
  assert.deepEqual(names(twoVertexGraph()), ["source map"]);
  assert.deepEqual(names(twoPipelines()), ["a b", "c d"]);
  const joined = twoPipelines();
  assert.deepEqual(names({ ...joined, edges: [...joined.edges, { ...joined.edges[0]!, id: "b-d", sourceVertexId: "b", targetVertexId: "d" }] }), ["a b c d"]);
});

test("a failed task restarts its region alone, from the last checkpoint of the job", async () => {
  const world = new World(twoPipelines(CONFIG));
  await world.time.advance(2100);
  assert.deepEqual(world.deployed, ["a#0", "b#0", "c#0", "d#0"]);
  world.slots.fail("b", 1);
  await world.time.advance(10);
  assert.equal(world.job.status, "RESTARTING");
  assert.deepEqual(world.job.view().vertices.map(({ subtasks }) => subtasks[0]!.current.state), ["CANCELED", "CANCELED", "RUNNING", "RUNNING"]);
  await world.time.advance(DELAY_MS);
  assert.equal(world.job.status, "RUNNING");
  assert.deepEqual(world.deployed.slice(4), ["a#1@2", "b#1@2"]);
  assert.equal(world.slots.releases, 1);
  const [a, , c] = world.job.view().vertices;
  assert.deepEqual([a!.subtasks[0]!.earlier.length, c!.subtasks[0]!.earlier.length], [1, 0]);
  // Checkpoints go on, of both.
  await world.time.advance(1000);
  assert.equal(world.job.metrics().checkpointsCompleted, 3);
  assert.equal(world.job.metrics().restarts, 1);
  assert.deepEqual(world.job.exceptionHistory.map(({ taskName, concurrent }) => [taskName, concurrent.length]), [["b (2/2)", 0]]);
  assert.deepEqual(world.statuses, ["CREATED", "RUNNING", "RESTARTING", "RUNNING"]);
});

test("with the full strategy everything restarts", async () => {
  const world = new World(twoPipelines({ ...CONFIG, "jobmanager.execution.failover-strategy": "full" }));
  await world.time.advance(100);
  world.slots.fail("b", 1);
  await world.time.advance(DELAY_MS + 10);
  assert.deepEqual(world.deployed.slice(4), ["a#1", "b#1", "c#1", "d#1"]);
});

test("a task that fails while the job drains takes all regions back; while it is only suspended, its own", async () => {
  for (const drain of [true, false]) {
    const world = new World(twoPipelines(CONFIG));
    await world.time.advance(2100);
    // The savepoint never hears of d.
    world.slots.intercept = (command) => command.type === "triggerCheckpoint" && command.epoch === world.slots.epochOf("d");
    const stopped = assert.rejects(world.job.stopWithSavepoint({ directory: "/s", drain }), { code: "CHECKPOINT_FAILED" });
    await world.time.advance(150);
    world.slots.intercept = () => false;
    world.slots.fail("b", 0);
    await world.time.advance(DELAY_MS + 10);
    await stopped;
    assert.equal(world.job.status, "RUNNING");
    assert.deepEqual(world.deployed.slice(4), drain ? ["a#1@2", "b#1@2", "c#1@2", "d#1@2"] : ["a#1@2", "b#1@2"]);
    assert.equal(world.job.metrics().restarts, 1);
  }
});

test("a task that fails behind a complete savepoint that the job stops with takes all regions back", async () => {
  // Simulated seed 1487: the other regions had stopped, and the job finished with their input unread.
  const world = new World(twoPipelines(CONFIG));
  await world.time.advance(2100);
  const stopped = assert.rejects(world.job.stopWithSavepoint({ directory: "/s", drain: false }), /is complete, but the job failed while it stopped/);
  await world.time.advance(150);
  for (const subtask of [0, 1]) world.slots.setState("d", subtask, "FINISHED");
  world.slots.fail("b", 0);
  await world.time.advance(DELAY_MS + 10);
  await stopped;
  assert.deepEqual(world.deployed.slice(4).map((deployed) => deployed[0]), ["a", "b", "c", "d"]);
});

test("a pending checkpoint is given up with a region, and results of the others are kept", async () => {
  const world = new World(twoPipelines(CONFIG));
  await world.time.advance(1900);
  world.collected("of b", "b");
  world.collected("of d", "d");
  // The second checkpoint never hears of d.
  world.slots.intercept = (command) => command.type === "triggerCheckpoint" && command.epoch === world.slots.epochOf("d");
  await world.time.advance(150);
  world.slots.fail("b", 0);
  await world.time.advance(10);
  world.slots.intercept = () => false;
  assert.ok(world.slots.ofType("checkpointAborted").some(({ epoch, checkpointId }) => epoch === world.slots.epochOf("d") && checkpointId === 2));
  await world.time.advance(DELAY_MS + 1100);
  assert.deepEqual(world.results, ["of d"]);
});

test("what fails while its region goes down is concurrent; another region's failure is one of its own", async () => {
  const world = new World(twoPipelines(CONFIG));
  await world.time.advance(10);
  world.slots.intercept = (command) => command.type === "cancel";
  world.slots.fail("a", 0, "first");
  await world.time.advance(1);
  world.slots.fail("b", 0, "second");
  world.slots.fail("c", 0, "third");
  await world.time.advance(1);
  const describe = world.job.exceptionHistory.map(({ error, attemptNumber, concurrent }) => `${error.message}#${attemptNumber}: ${concurrent.map((other) => `${other.error.message}#${other.attemptNumber}`).join()}`);
  assert.deepEqual(describe, ["first#0: second#0", "third#0: "]);
  assert.equal(world.job.metrics().restarts, 2);
});

test("a TaskManager that takes several regions with it is one failure", async () => {
  const world = new World(twoPipelines({ ...CONFIG, "restart-strategy.fixed-delay.attempts": 1 }));
  await world.time.advance(10);
  const error = { name: "MillraceError", code: "TASK_MANAGER_LOST", message: "TaskManager t1 was lost", recovery: "restart" as const };
  for (const request of world.slots.requests.values()) for (const slot of [0, 1]) request.onEvent(slot, { type: "slotFailed", error });
  await world.time.advance(DELAY_MS + 10);
  assert.equal(world.job.status, "RUNNING");
  assert.equal(world.job.metrics().restarts, 1);
  assert.deepEqual(world.deployed.slice(4), ["a#1", "b#1", "c#1", "d#1"]);
  assert.equal(world.job.exceptionHistory[0]!.concurrent.length, 3);
});

test("a failure of the job takes down what runs, and leaves alone what is down already", async () => {
  const world = new World(twoPipelines(CONFIG));
  await world.time.advance(10);
  world.slots.fail("a", 0);
  await world.time.advance(100);
  world.job.injectFailure(new Error("all"));
  await world.time.advance(DELAY_MS - 90);
  assert.deepEqual(world.deployed.slice(4), ["a#1", "b#1"]);
  assert.equal(world.job.status, "RESTARTING");
  await world.time.advance(100);
  assert.deepEqual(world.deployed.slice(6), ["c#1", "d#1"]);
  assert.equal(world.job.status, "RUNNING");
});

test("a job is cancelled while a region waits for its restart", async () => {
  const world = new World(twoPipelines(CONFIG));
  await world.time.advance(10);
  world.slots.fail("a", 0);
  await world.time.advance(100);
  world.job.cancel();
  await assert.rejects(world.time.runUntil(world.job.result), { code: "JOB_CANCELED" });
  assert.equal(world.slots.allocations, 2);
  assert.equal(world.slots.releases, 2);
});

test("the job finishes when its last region does, whatever restarted before", async () => {
  const world = new World(twoPipelines(CONFIG));
  await world.time.advance(10);
  for (const vertex of ["a", "b"]) for (const subtask of [0, 1]) world.slots.setState(vertex, subtask, "FINISHED");
  await world.time.advance(10);
  world.slots.fail("d", 0);
  await world.time.advance(DELAY_MS + 10);
  assert.deepEqual(world.deployed.slice(4), ["c#1", "d#1"]);
  for (const vertex of ["c", "d"]) for (const subtask of [0, 1]) world.slots.setState(vertex, subtask, "FINISHED");
  assert.equal((await world.time.runUntil(world.job.result)).jobName, "test");
});

test("regions share the job's slots", async () => {
  const world = new World(twoPipelines(CONFIG));
  await world.time.advance(10);
  assert.deepEqual([...world.slots.requests.values()].map(({ jobSlots, numberOfJobSlots }) => [jobSlots, numberOfJobSlots]), [[[0, 1], 2], [[0, 1], 2]]);
});
