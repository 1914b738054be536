import assert from "node:assert/strict";
import { test } from "node:test";
import type { MillraceError } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import { VirtualTime } from "@millrace/testkit";
import { JobMaster } from "../src/index.js";
import { checkRequirements } from "../src/scheduler/resource-requirements.js";
import { slotParallelism, slotsFor } from "../src/scheduler/slot-parallelism.js";
import { ADAPTIVE, EXECUTING, LimitedSlots, REACTIVE, TRIGGER, World } from "./elastic-world.js";
import { twoVertexGraph } from "./scripted-slots.js";

test("a job starts at once when all slots that it would like are there", async () => {
  const world = new World(5);
  await world.time.advance(0);
  assert.deepEqual(world.deployed, ["4/4#0"]);
  assert.deepEqual(world.statuses, ["CREATED", "RUNNING"]);
});

test("with fewer slots it waits a while for the others, then starts as wide as it can", async () => {
  const world = new World(3);
  await world.time.advance(9_999);
  assert.deepEqual(world.deployed, []);
  assert.equal(world.job.status, "CREATED");
  await world.time.advance(10);
  assert.deepEqual(world.deployed, ["3/3#0"]);
});

test("without any slots it waits, says what is missing, and fails after the time-out", async () => {
  const world = new World(0);
  await world.time.advance(299_000);
  assert.equal(world.job.status, "CREATED");
  await assert.rejects(world.time.runUntil(world.job.result), (error: MillraceError) => {
    assert.equal((error.cause as MillraceError).code, "SLOTS_UNAVAILABLE");
    assert.match((error.cause as Error).message, /within 300 s: it needs 1 slots, 0 are there/);
    return true;
  });
  assert.equal(world.slots.watchers, 0);
});

test("slots that come widen a running job behind a checkpoint that is taken for it; no result is lost or repeated", async () => {
  const world = new World(2, REACTIVE);
  await world.time.advance(100);
  assert.deepEqual(world.deployed, ["2/2#0"]);
  world.slots.setAvailable(3);
  await world.time.advance(10);
  assert.deepEqual(world.deployed, ["2/2#0", "3/3#1@1"]);
  assert.equal(world.job.metrics().rescales, 1);
  assert.equal(world.job.metrics().restarts, 0);
  assert.deepEqual(world.statuses, ["CREATED", "RUNNING", "RESTARTING", "RUNNING"]);
  assert.equal(typeof world.job.metrics().lastRestartDurationMs, "number");
});

test("the next rescale waits for the cooldown, and takes what has come meanwhile", async () => {
  const world = new World(2, { ...REACTIVE, [`${EXECUTING}.cooldown-after-rescaling`]: "5 s" });
  await world.time.advance(100);
  world.slots.setAvailable(3);
  await world.time.advance(1000);
  world.slots.setAvailable(4);
  world.slots.setAvailable(6);
  await world.time.advance(3900);
  assert.deepEqual(world.deployed.length, 2);
  await world.time.advance(300);
  assert.match(world.deployed[2]!, /^6\/6#2@/);
});

test("a job that is not reactive waits for the rest of the slots before it rescales", async () => {
  const world = new World(1, ADAPTIVE);
  await world.time.advance(10_100);
  assert.deepEqual(world.deployed, ["1/1#0"]);
  world.slots.setAvailable(3);
  await world.time.advance(59_000);
  assert.equal(world.deployed.length, 1);
  await world.time.advance(1_100);
  assert.match(world.deployed[1]!, /^3\/3#1@/);
  await world.time.advance(31_000);
  world.slots.setAvailable(4);
  await world.time.advance(10);
  assert.match(world.deployed[2]!, /^4\/4#2@/, "nothing more to wait for");
});

test("slots that go again before the checkpoint is complete change nothing", async () => {
  const world = new World(2, { ...REACTIVE, "execution.checkpointing.tolerable-failed-checkpoints": 100 });
  await world.time.advance(100);
  world.slots.intercept = (command) => command.type === "triggerCheckpoint";
  world.slots.setAvailable(3);
  await world.time.advance(10);
  world.slots.setAvailable(2);
  world.slots.intercept = () => false;
  await world.time.advance(20 * 60_000);
  assert.deepEqual(world.deployed, ["2/2#0"]);
});

test("a rescale waits for the next regular checkpoint when none is to be taken for it", async () => {
  const world = new World(2, { ...REACTIVE, [`${TRIGGER}.active-checkpoint.enabled`]: false });
  await world.time.advance(500);
  world.slots.setAvailable(3);
  await world.time.advance(490);
  assert.equal(world.deployed.length, 1);
  await world.time.advance(100);
  assert.deepEqual(world.deployed, ["2/2#0", "3/3#1@1"]);
});

test("a rescale does not wait for ever: neither for failed checkpoints nor for slow ones", async () => {
  const failing = new World(2, { ...REACTIVE, "execution.checkpointing.tolerable-failed-checkpoints": 100, [`${TRIGGER}.active-checkpoint.enabled`]: false });
  await failing.time.advance(1100);
  failing.slots.intercept = (command) => {
    if (command.type !== "triggerCheckpoint") return false;
    failing.slots.emit({ type: "declineCheckpoint", epoch: command.epoch, checkpointId: command.checkpointId, attempt: command.tasks[0]!, error: { name: "Error", message: "no" } });
    return true;
  };
  failing.slots.setAvailable(3);
  await failing.time.advance(1500);
  assert.equal(failing.deployed.length, 1);
  await failing.time.advance(1000);
  assert.deepEqual(failing.deployed, ["2/2#0", "3/3#1@1"]);

  const slow = new World(2, { ...REACTIVE, [`${TRIGGER}.max-delay`]: "3 s" });
  await slow.time.advance(1100);
  slow.slots.intercept = (command) => command.type === "triggerCheckpoint";
  slow.slots.setAvailable(3);
  await slow.time.advance(2900);
  assert.equal(slow.deployed.length, 1);
  await slow.time.advance(200);
  assert.deepEqual(slow.deployed, ["2/2#0", "3/3#1@1"]);
});

test("without checkpointing a rescale takes a checkpoint of its own", async () => {
  const world = new World(2, { "jobmanager.scheduler": "adaptive", "scheduler-mode": "reactive" });
  await world.time.advance(100);
  world.slots.setAvailable(3);
  await world.time.advance(10);
  assert.deepEqual(world.deployed, ["2/2#0", "3/3#1@1"]);
});

test("a job that loses slots restarts narrower, at once in reactive mode, else after a while", async () => {
  for (const [config, waitMs] of [[REACTIVE, 0], [ADAPTIVE, 10_000]] as const) {
    const world = new World(4, config);
    await world.time.advance(1100);
    world.slots.setAvailable(3);
    world.slots.emit({ type: "slotFailed", error: { name: "Error", message: "lost" } }, 3);
    await world.time.advance(499 + waitMs);
    assert.deepEqual(world.deployed, ["4/4#0"]);
    assert.equal(world.job.status, "RESTARTING");
    await world.time.advance(100);
    assert.deepEqual(world.deployed, ["4/4#0", "3/3#1@1"]);
    assert.deepEqual([world.job.metrics().restarts, world.job.metrics().rescales], [1, 0]);
  }
});

test("requirements rescale a running job within its slots, up and down, each vertex as it may", async () => {
  const world = new World(8);
  await world.time.advance(1100);
  await world.require([1, 2], [1, 6]);
  await world.time.advance(10);
  assert.deepEqual(world.deployed, ["4/4#0", "2/6#1@2"]);
  assert.deepEqual(world.job.requirements, { source: { lowerBound: 1, upperBound: 2 }, map: { lowerBound: 1, upperBound: 6 } });
  // Beyond the slots: it goes as far as it can once it has waited.
  await world.time.advance(31_000);
  await world.require([1, 2], [1, 9]);
  await world.time.advance(61_000);
  assert.match(world.deployed[2]!, /^2\/8#2@/);
  // More than there is: goes on as it is.
  await world.time.advance(31_000);
  await world.require([1, 2], [9, 9]);
  await world.time.advance(120_000);
  assert.equal(world.deployed.length, 3);
});

test("requirements of a job that waits may let it start", async () => {
  const world = new World(2);
  await world.require([3, 4], [3, 4]);
  await world.time.advance(60_000);
  assert.equal(world.deployed.length, 0);
  await world.require([2, 2], [2, 2]);
  await world.time.advance(10);
  assert.deepEqual(world.deployed, ["2/2#0"]);
});

test("impossible requirements are refused by name", () => {
  const graph = twoVertexGraph();
  const [source, map] = graph.vertices;
  const wide = { ...graph, vertices: [source!, { ...map!, nonParallel: true as const }] };
  const refused = (requirements: Record<string, { lowerBound: number; upperBound: number }>, pattern: RegExp, of: JobGraph = graph): void =>
    assert.throws(() => checkRequirements(requirements, of), (error: MillraceError) => error.code === "RESOURCE_REQUIREMENTS_INVALID" && pattern.test(error.message));
  const bounds = { lowerBound: 1, upperBound: 2 };
  refused({ source: bounds }, /vertex map \("map"\) has no bounds/);
  refused({ source: bounds, map: bounds, sink: bounds }, /no vertex sink/);
  refused({ source: bounds, map: { lowerBound: 3, upperBound: 2 } }, /bounds 3 to 2 of vertex map/);
  refused({ source: bounds, map: { lowerBound: 0, upperBound: 2 } }, /bounds 0 to 2/);
  refused({ source: bounds, map: { lowerBound: 1, upperBound: 129 } }, /above its max parallelism 128/);
  refused({ source: bounds, map: bounds }, /above its max parallelism 1/, wide);
  checkRequirements({ source: bounds, map: bounds }, graph);
});

test("a job with the default scheduler is not rescaled, and says how it could be", async () => {
  const world = new World(4, { "execution.checkpointing.interval": 1000 });
  await world.time.advance(10);
  await assert.rejects(world.require([1, 2], [1, 2]), { code: "RESCALING_UNAVAILABLE" });
  assert.deepEqual(world.job.requirements["map"], { lowerBound: 1, upperBound: 4 });
});

test("a job is cancelled while it waits for slots, while it rescales, and a failure meanwhile changes nothing", async () => {
  const waiting = new World(0);
  await waiting.time.advance(10);
  waiting.job.cancel();
  await assert.rejects(waiting.time.runUntil(waiting.job.result), { code: "JOB_CANCELED" });
  assert.equal(waiting.slots.watchers, 0);

  const rescaling = new World(2, REACTIVE);
  await rescaling.time.advance(100);
  rescaling.slots.intercept = (command) => command.type === "cancel";
  rescaling.slots.setAvailable(3);
  await rescaling.time.advance(10);
  assert.equal(rescaling.job.status, "RESTARTING");
  rescaling.slots.fail("map", 0);
  await rescaling.time.advance(10);
  rescaling.job.cancel();
  await assert.rejects(rescaling.time.runUntil(rescaling.job.result), { code: "JOB_CANCELED" });
  assert.equal(rescaling.slots.allocations, 1);
});

test("a failure while the job waits for slots after another one does not stop it from starting", async () => {
  const world = new World(2, REACTIVE);
  await world.time.advance(1100);
  world.slots.setAvailable(0);
  world.slots.emit({ type: "slotFailed", error: { name: "Error", message: "lost" } });
  await world.time.advance(2000);
  world.job.injectFailure(new Error("another"));
  await world.time.advance(10_000);
  assert.equal(world.job.status, "RESTARTING");
  world.slots.setAvailable(1);
  await world.time.advance(10);
  assert.deepEqual(world.deployed, ["2/2#0", "1/1#1@1"]);
});

test("slots go to sharing groups in turn, and vertices that forward edges tie together stay equally wide", () => {
  const { vertices, edges, ...rest } = twoVertexGraph();
  const [source, map] = vertices;
  const graph: JobGraph = {
    ...rest, edges: [edges[0]!, { ...edges[0]!, id: "f", partitioner: "forward", sourceVertexId: "map", targetVertexId: "sink" }],
    vertices: [source!, { ...map!, slotSharingGroup: "wide" }, { ...map!, id: "sink", slotSharingGroup: "wide" }],
  };
  const requirements = { source: { lowerBound: 1, upperBound: 2 }, map: { lowerBound: 2, upperBound: 5 }, sink: { lowerBound: 1, upperBound: 4 } };
  const at = (slots: number): readonly number[] | undefined => {
    const parallelism = slotParallelism(graph, requirements, slots);
    return parallelism === undefined ? undefined : ["source", "map", "sink"].map((id) => parallelism.get(id)!);
  };
  assert.deepEqual([slotsFor(graph, requirements, "lowerBound"), slotsFor(graph, requirements, "upperBound")], [3, 6]);
  assert.deepEqual([2, 3, 4, 5, 6, 99, Number.POSITIVE_INFINITY].map(at), [undefined, [1, 2, 2], [2, 2, 2], [2, 3, 3], [2, 4, 4], [2, 4, 4], [2, 4, 4]]);
});

/** Tasks of two slots that let a checkpoint wait until {@link acknowledge}, and finish when they are told that they stop behind it. */
async function stopping(): Promise<{ readonly world: World; readonly stopped: Promise<string>; readonly acknowledge: () => void }> {
  const world = new World(2);
  await world.time.advance(10_100);
  assert.deepEqual(world.deployed, ["2/2#0"]);
  const tasks = [["source", 0], ["source", 1], ["map", 0], ["map", 1]] as const;
  const stops = () => world.slots.ofType("triggerCheckpoint").filter(({ options }) => options?.stop !== undefined);
  world.slots.intercept = (command) => {
    if (command.type === "checkpointComplete" && stops().length > 0) for (const [vertex, subtask] of tasks) world.slots.setState(vertex, subtask, "FINISHED");
    return command.type === "triggerCheckpoint" && command.options?.stop !== undefined;
  };
  const stopped = world.job.stopWithSavepoint({ directory: "/s" });
  await world.time.advance(1);
  return { world, stopped, acknowledge: () => tasks.forEach(([vertex, subtask]) => world.slots.acknowledge(stops().at(-1)!.checkpointId, world.slots.attempt(vertex, subtask))) };
}

test("no rescale comes between a job and the savepoint that it stops behind", async () => {
  const { world, stopped, acknowledge } = await stopping();
  world.slots.setAvailable(4);
  await world.require([1, 3], [1, 3]);
  await world.time.advance(500_000);
  assert.equal(world.job.status, "RUNNING");
  acknowledge();
  assert.match(await world.time.runUntil(stopped), /savepoint-/);
  assert.deepEqual([world.job.status, world.deployed.length], ["FINISHED", 1]);
});

test("when the stop fails, what changed meanwhile has its effect", async () => {
  const { world, stopped } = await stopping();
  world.slots.setAvailable(4);
  await world.require([1, 3], [1, 3]);
  const failure = assert.rejects(stopped, { code: "CHECKPOINT_FAILED" });
  world.slots.emit({ type: "declineCheckpoint", epoch: world.slots.epoch, checkpointId: world.slots.ofType("triggerCheckpoint").at(-1)!.checkpointId, attempt: world.slots.attempt("map", 0), error: { name: "Error", message: "no" } });
  await world.time.advance(100_000);
  await failure;
  assert.deepEqual(world.deployed.map((one) => one.split("#")[0]), ["2/2", "3/3"]);
});

test("requirements have no effect before they are written down, and those of an earlier leader are kept", async () => {
  const time = new VirtualTime();
  const slots = new LimitedSlots(time, 4);
  const written: number[] = [];
  let write!: () => void;
  const job = new JobMaster({
    env: time.env, jobGraph: twoVertexGraph(ADAPTIVE, 4), slots, checkpointDirectory: "/checkpoints/job", temporaryDirectory: "/tmp/job",
    requirements: { source: { lowerBound: 1, upperBound: 2 }, map: { lowerBound: 1, upperBound: 2 } },
    onRequirements: (requirements) => new Promise((resolve) => {
      written.push(requirements["map"]!.upperBound);
      write = resolve;
    }),
  });
  job.start();
  await time.advance(20_000);
  assert.deepEqual(job.jobGraph.vertices.map(({ parallelism }) => parallelism), [2, 2]);
  const updates = [3, 4].map((upperBound) => job.updateRequirements({ source: { lowerBound: 1, upperBound }, map: { lowerBound: 1, upperBound } }));
  await time.advance(100_000);
  assert.deepEqual([written, job.requirements["map"]!.upperBound, job.jobGraph.vertices[1]!.parallelism], [[3], 2, 2]);
  for (let i = 0; i < 2; i++) {
    write();
    await time.advance(1);
  }
  await Promise.all(updates);
  assert.deepEqual([written, job.requirements["map"]!.upperBound], [[3, 4], 4]);
  await assert.rejects(job.updateRequirements({ source: { lowerBound: 2, upperBound: 1 }, map: { lowerBound: 1, upperBound: 1 } }), { code: "RESOURCE_REQUIREMENTS_INVALID" });
  assert.equal(written.length, 2);
});
