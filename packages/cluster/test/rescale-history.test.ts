import assert from "node:assert/strict";
import { test } from "node:test";
import { rescaleRoutes } from "../src/rest/routes/rescale-routes.js";
import { misfits } from "../src/rest/schema/schema.js";
import { ADAPTIVE, EXECUTING, REACTIVE, World } from "./elastic-world.js";

/** What REST answers about a job, held against what it publishes. */
async function ask(world: World, what: string, rescaleuuid = ""): Promise<any> {
  const route = rescaleRoutes.find(({ path }) => path === `/jobs/:jobid/rescales/${what === "details" ? "details/:rescaleuuid" : what}`)!;
  const gateway = { job: async () => structuredClone(world.job.view()) };
  const answer = await route.handle({ gateway, params: { jobid: "0".repeat(32), rescaleuuid } } as never);
  assert.deepEqual(misfits(route.response!.json, answer), []);
  return answer;
}

/** Cause, attempt and end of each, oldest first. */
async function rescales(world: World): Promise<string[]> {
  return (await ask(world, "history")).map((one: any) => `${one.triggerCause}#${one.rescaleAttemptId} ${one.terminatedReason}`).reverse();
}

test("the first deployment and a rescale to more slots are told with parallelism before and after, and the scheduler's states", async () => {
  const world = new World(2, REACTIVE);
  await world.time.advance(100);
  world.slots.setAvailable(3);
  await world.time.advance(10);
  assert.deepEqual(await rescales(world), ["INITIAL_SCHEDULE#1 SUCCEEDED", "NEW_RESOURCE_AVAILABLE#2 SUCCEEDED"]);
  const [latest, first] = await ask(world, "history");
  assert.deepEqual([latest.vertices, latest.slots, latest.schedulerStates], [{}, {}, []], "details are asked for one by one");
  assert.equal(latest.resourceRequirementsUuid, first.resourceRequirementsUuid);
  const details = await ask(world, "details", latest.rescaleUuid);
  const [source, map] = Object.values(details.vertices) as any[];
  assert.deepEqual(
    [source.jobVertexName, map.preRescaleParallelism, map.postRescaleParallelism, map.sufficientParallelism, map.desiredParallelism],
    [world.job.jobGraph.vertices[0]!.name, 2, 3, 1, world.job.jobGraph.vertices[1]!.maxParallelism]);
  assert.deepEqual(Object.values(details.slots).map(({ preRescaleSlots, postRescaleSlots }: any) => [preRescaleSlots, postRescaleSlots]), [[2, 3]]);
  assert.deepEqual(details.schedulerStates.map(({ state }: any) => state), ["Executing", "Restarting", "CreatingExecutionGraph", "Executing"]);
  for (const { enterTimestampInMillis: entered, leaveTimestampInMillis: left, durationInMillis } of details.schedulerStates) assert.equal(durationInMillis, left - entered);
  assert.ok(details.endTimestampInMillis >= details.startTimestampInMillis);
  const { schedulerStates, vertices } = await ask(world, "details", first.rescaleUuid);
  assert.deepEqual(schedulerStates.map(({ state }: any) => state), ["Created", "WaitingForResources", "CreatingExecutionGraph", "Executing"]);
  assert.equal((Object.values(vertices)[0] as any).preRescaleParallelism, null);
  const overview = await ask(world, "overview");
  assert.deepEqual(overview.rescalesCounts, { ignored: 0, inProgress: 0, completed: 2, failed: 0 });
  assert.deepEqual([overview.latest.completed.rescaleUuid, overview.latest.failed, overview.latest.ignored], [latest.rescaleUuid, null, null]);
  assert.equal((await ask(world, "summary")).completedRescalesDurationStatsInMillis.max >= 0, true);
  await assert.rejects(ask(world, "details", "f".repeat(32)), /Could not find rescale details/);
});

test("new requirements begin another count, and end what went on; those that change nothing are told, too", async () => {
  const world = new World(3, { ...ADAPTIVE, [`${EXECUTING}.resource-stabilization-timeout`]: "1 min" });
  await world.time.advance(10_100);
  await world.require([1, 8], [1, 8]);
  assert.deepEqual((await rescales(world)).slice(1), ["UPDATE_REQUIREMENT#1 null"], "it goes on until there are slots");
  await world.require([1, 2], [1, 2]);
  await world.time.advance(100);
  await world.require([1, 2], [1, 2]);
  assert.deepEqual((await rescales(world)).slice(1), [
    "UPDATE_REQUIREMENT#1 RESOURCE_REQUIREMENTS_UPDATED", "UPDATE_REQUIREMENT#1 SUCCEEDED", "UPDATE_REQUIREMENT#1 NO_RESOURCES_OR_PARALLELISMS_CHANGE",
  ]);
});

test("slots that come and go again leave a rescale that was ignored", async () => {
  const world = new World(1, { ...ADAPTIVE, [`${EXECUTING}.cooldown-after-rescaling`]: 0 });
  await world.time.advance(10_100);
  world.slots.setAvailable(2);
  await world.time.advance(100);
  assert.equal((await ask(world, "overview")).rescalesCounts.inProgress, 1);
  world.slots.setAvailable(1);
  await world.time.advance(100);
  assert.deepEqual((await rescales(world)).slice(1), ["NEW_RESOURCE_AVAILABLE#2 NO_RESOURCES_OR_PARALLELISMS_CHANGE"]);
});

test("a failure is a rescale with its exception; one that goes on becomes part of it; the job's end ends it", async () => {
  const world = new World(4, { ...ADAPTIVE, "restart-strategy.fixed-delay.attempts": 2 });
  await world.time.advance(100);
  world.slots.fail("map", 0);
  await world.time.advance(600);
  assert.deepEqual((await rescales(world)).slice(1), ["RECOVERABLE_FAILOVER#2 SUCCEEDED"]);
  const [failover] = await ask(world, "history");
  const { schedulerStates } = await ask(world, "details", failover.rescaleUuid);
  assert.equal(schedulerStates[0].state, "Executing");
  assert.notEqual(schedulerStates[0].stringifiedException, null);
  await world.require([1, 3], [1, 3]);
  world.job.injectFailure(new Error("again"));
  await world.time.advance(100);
  assert.deepEqual((await rescales(world)).slice(2), ["RECOVERABLE_FAILOVER#1 null"]);
  world.job.cancel();
  await assert.rejects(world.time.runUntil(world.job.result));
  assert.deepEqual((await rescales(world)).slice(2), ["RECOVERABLE_FAILOVER#1 JOB_CANCELED"], "it can be looked at after the job's end");
});

test("a job that has ended shows its rescales as it does its exceptions and checkpoints", async () => {
  const world = new World(4, { ...ADAPTIVE, "restart-strategy.fixed-delay.attempts": 2 });
  await world.time.advance(100);
  world.slots.fail("map", 0);
  await world.time.advance(600);
  await world.require([1, 2], [1, 2]);
  await world.time.advance(100);
  const before = await rescales(world);
  assert.equal(before.length, 3);
  world.job.cancel();
  await assert.rejects(world.time.runUntil(world.job.result));
  const { status, exceptions, rescaling } = world.job.view();
  assert.deepEqual([status, exceptions.length > 0, rescaling!.rescales!.history.length], ["CANCELED", true, 3]);
  assert.deepEqual(await rescales(world), before);
  const overview = await ask(world, "overview");
  assert.deepEqual([overview.rescalesCounts.inProgress, overview.rescalesCounts.completed, overview.latest.completed !== null], [0, 3, true]);
  assert.equal((await ask(world, "details", (await ask(world, "history"))[0].rescaleUuid)).terminatedReason, "SUCCEEDED");
});

test("as many are remembered as the option says, and none without the adaptive scheduler", async () => {
  const world = new World(4, { ...ADAPTIVE, "web.adaptive-scheduler.rescale-history.size": 2 });
  await world.time.advance(100);
  for (let i = 0; i < 4; i++) await world.require([1, 4], [1, 4]);
  assert.equal((await rescales(world)).length, 2);
  assert.equal((await ask(world, "overview")).rescalesCounts.ignored, 4);
  assert.deepEqual(await ask(world, "config"), {
    rescaleHistoryMax: 2, schedulerExecutionMode: null, submissionResourceWaitTimeoutInMillis: 300_000, submissionResourceStabilizationTimeoutInMillis: 10_000, slotIdleTimeoutInMillis: 0,
    executingCooldownTimeoutInMillis: 30_000, executingResourceStabilizationTimeoutInMillis: 60_000, maximumDelayForTriggeringRescaleInMillis: 600_000, rescaleOnFailedCheckpointCount: 2,
  });
  const none = new World(4, { ...ADAPTIVE, "web.adaptive-scheduler.rescale-history.size": 0 });
  assert.equal((await ask(none, "config")).rescaleHistoryMax, 0);
  await assert.rejects(ask(none, "history"), /rescale-history\.size/);
  const fixed = new World(4, {});
  await assert.rejects(ask(fixed, "overview"), /adaptive scheduler/);
  await assert.rejects(ask(fixed, "config"), /AdaptiveScheduler is not enabled/);
});

test("a job that fails for good ends its rescale", async () => {
  const world = new World(4, { ...ADAPTIVE, "restart-strategy.fixed-delay.attempts": 0 });
  await world.time.advance(100);
  await world.require([1, 3], [1, 3]);
  world.job.injectFailure(new Error("gone"));
  await assert.rejects(world.time.runUntil(world.job.result));
  assert.deepEqual((await rescales(world)).slice(1), ["UPDATE_REQUIREMENT#1 JOB_FAILED"]);
});
