import { test } from "node:test";
import assert from "node:assert/strict";
import { processOptions, Configuration, isMillraceError, type Env } from "@millrace/core";
import { MemoryFileSystem, VirtualTime } from "@millrace/testkit";
import { createNodeEnv } from "@millrace/env-node";
import { METADATA_FORMAT_VERSION, writeMetadata } from "../../src/checkpoint/checkpoint-metadata.js";
import type { CompletedCheckpoint } from "../../src/checkpoint/completed-checkpoint-store.js";
import { createHighAvailabilityServices } from "../../src/high-availability/create-high-availability.js";
import { EmbeddedCoordinator } from "../../src/high-availability/embedded/embedded-coordination.js";
import { CoordinatedServices, type RecoveryStores } from "../../src/high-availability/high-availability-services.js";
import type { LeaderContender } from "../../src/high-availability/leader-election.js";
import type { LeaderAddress } from "../../src/high-availability/leader-retrieval.js";
import { RecoveredCheckpoints } from "../../src/high-availability/recovered-checkpoints.js";

const withCode = (code: string) => (error: unknown): boolean => isMillraceError(error) && error.code === code;

/** Two JobManagers that share memory and a disk. */
function twoJobManagers() {
  const warnings: string[] = [];
  const env: Env = { ...createNodeEnv(), fs: new MemoryFileSystem(), log: { write: (level, line) => void warnings.push(`${level} ${line}`) } };
  const coordinator = new EmbeddedCoordinator(env);
  const process = (contender: string): CoordinatedServices =>
    new CoordinatedServices({ env, contender, coordination: coordinator.connect(), storageDirectory: "/ha", jobResultDirectory: "/ha/results", deleteResultOnCommit: false });
  return { env, coordinator, warnings, a: process("a"), b: process("b") };
}

/** A contender that writes down what it is told, and lets one wait for the next of it. */
function recorder() {
  const events: string[] = [];
  let wake: () => void = () => undefined;
  const note = (event: string): void => {
    events.push(event);
    wake();
  };
  const contender: LeaderContender = { grantLeadership: (token) => note(`granted ${token}`), revokeLeadership: () => note("revoked"), handleError: (error) => note(`error ${error.message}`) };
  const until = async (count: number): Promise<string[]> => {
    while (events.length < count) await new Promise<void>((resolve) => (wake = resolve));
    return events;
  };
  return { contender, until, events, note };
}

test("all components of a process lead together, under one token, and are found by their addresses", async () => {
  const { coordinator, a, b } = twoJobManagers();
  const [dispatcher, resourceManager, standby] = [recorder(), recorder(), recorder()];
  const election = a.leaderElection("dispatcher");
  election.start(dispatcher.contender);
  a.leaderElection("resourcemanager").start(resourceManager.contender);
  b.leaderElection("dispatcher").start(standby.contender);
  assert.deepEqual(await dispatcher.until(1), ["granted 1"]);
  assert.deepEqual(await resourceManager.until(1), ["granted 1"]);
  assert.ok(election.hasLeadership(1));
  const found = recorder();
  const addresses: (LeaderAddress | undefined)[] = [];
  const retrieval = b.leaderRetrieval("dispatcher");
  retrieval.start((leader) => {
    addresses.push(leader);
    found.note("");
  });
  await found.until(1);
  await election.confirmLeadership(1, "a:6123");
  await found.until(2);
  coordinator.revokeLeader();
  assert.deepEqual(await dispatcher.until(2), ["granted 1", "revoked"]);
  assert.deepEqual(await standby.until(1), ["granted 2"]);
  await found.until(3);
  assert.deepEqual(addresses, [undefined, { address: "a:6123", fencingToken: 1 }, undefined]);
  await assert.rejects(election.confirmLeadership(1, "a:6123"), withCode("LEADERSHIP_LOST"));
  assert.ok(!election.hasLeadership(1));
  retrieval.close();
  await Promise.all([a.close(), b.close()]);
  assert.deepEqual(standby.events, ["granted 2"], "nothing is told after the end");
});

test("a component that throws keeps no other from hearing; a late one is granted, too", async () => {
  const { a } = twoJobManagers();
  const [broken, sound, late] = [recorder(), recorder(), recorder()];
  const throwing: LeaderContender = { ...broken.contender, grantLeadership: () => { throw new Error("boom"); } };
  a.leaderElection("broken").start(throwing);
  a.leaderElection("sound").start(sound.contender);
  assert.deepEqual(await sound.until(1), ["granted 1"]);
  assert.deepEqual(await broken.until(1), ["error boom"]);
  a.leaderElection("late").start(late.contender);
  assert.deepEqual(await late.until(1), ["granted 1"]);
  await a.close();
});

async function stores(): Promise<ReturnType<typeof twoJobManagers> & { first: RecoveryStores; successor: () => Promise<RecoveryStores> }> {
  const both = twoJobManagers();
  const [one, two] = [recorder(), recorder()];
  both.a.leaderElection("dispatcher").start(one.contender);
  await one.until(1);
  both.b.leaderElection("dispatcher").start(two.contender);
  const successor = async (): Promise<RecoveryStores> => {
    both.coordinator.revokeLeader();
    await two.until(1);
    return both.b.openStores(2);
  };
  return { ...both, first: both.a.openStores(1), successor };
}

test("a successor finds the jobs that were accepted, and the deposed leader can change nothing", async () => {
  const { env, first, successor } = await stores();
  await first.executionPlans.put({ jobId: "j1", plan: { vertices: [1] } });
  await first.executionPlans.put({ jobId: "j2", plan: { vertices: [2] } });
  await first.executionPlans.put({ jobId: "j2", plan: { vertices: [3] } });
  await first.executionPlans.remove("j1");
  const second = await successor();
  assert.deepEqual(await second.executionPlans.jobIds(), ["j2"]);
  assert.deepEqual(await second.executionPlans.get("j2"), { jobId: "j2", plan: { vertices: [3] } });
  assert.equal(await second.executionPlans.get("j1"), undefined);
  await assert.rejects(first.executionPlans.put({ jobId: "j2", plan: {} }), withCode("LEADERSHIP_LOST"));
  await assert.rejects(first.executionPlans.remove("j2"), withCode("LEADERSHIP_LOST"));
  await assert.rejects(first.checkpointIdCounter("j2").getAndIncrement(), withCode("LEADERSHIP_LOST"));
  assert.deepEqual((await second.executionPlans.get("j2"))?.plan, { vertices: [3] }, "its file is there");
  await second.cleanupJob("j2");
  assert.deepEqual(await second.executionPlans.jobIds(), []);
  const left = (env.fs as MemoryFileSystem).paths.filter((path) => path.startsWith("/ha/plans/j2-1-2") || path.startsWith("/ha/plans/j1"));
  assert.deepEqual(left, [], "files of plans that were replaced or removed are gone");
});

test("a plan whose file is damaged is refused by name", async () => {
  const { env, first } = await stores();
  await first.executionPlans.put({ jobId: "j", plan: { a: 1 } });
  const path = (env.fs as MemoryFileSystem).paths.find((one) => one.startsWith("/ha/plans/"))!;
  await env.fs.writeAtomic(path, new TextEncoder().encode('{"a"'));
  await assert.rejects(first.executionPlans.get("j"), withCode("HA_PLAN_UNREADABLE"));
});

test("a finished job never runs again: its result is dirty, then clean, over leaders", async () => {
  const { first, successor } = await stores();
  const result = { jobId: "j", jobName: "n", state: "FINISHED" as const, startTimeMs: 1, endTimeMs: 2 };
  assert.equal(await first.jobResults.hasJobResult("j"), false);
  await first.jobResults.createDirtyResult(result);
  const second = await successor();
  assert.deepEqual(await second.jobResults.dirtyResults(), [result]);
  await assert.rejects(first.jobResults.createDirtyResult({ ...result, state: "FAILED" }), withCode("LEADERSHIP_LOST"));
  await second.jobResults.markResultAsClean("j");
  await second.jobResults.markResultAsClean("j");
  assert.deepEqual([await second.jobResults.hasJobResult("j"), await second.jobResults.hasDirtyResult("j")], [true, false]);
});

async function checkpoint(env: Pick<Env, "fs">, checkpointId: number): Promise<CompletedCheckpoint> {
  const metadata = { formatVersion: METADATA_FORMAT_VERSION, checkpointId, timestampMs: 0, jobId: "j", jobName: "n", stateBytes: 0, writtenBytes: 0, operators: [] };
  await writeMetadata(env.fs, `/chk/chk-${checkpointId}`, metadata);
  return { path: `/chk/chk-${checkpointId}`, metadata, external: false };
}

test("checkpoints: the latest is restored by the successor, subsumed ones go, ids go on", async () => {
  const { env, first, successor } = await stores();
  const counter = first.checkpointIdCounter("j");
  const own = await RecoveredCheckpoints.recover({ env, pointers: first.checkpointPointers("j"), retained: 2 });
  for (let i = 1; i <= 4; i++) {
    assert.equal(await counter.getAndIncrement(), i);
    await own.add(await checkpoint(env, i));
  }
  const second = await successor();
  await assert.rejects(own.add(await checkpoint(env, 99)), withCode("LEADERSHIP_LOST"));
  assert.deepEqual(own.latest?.metadata.checkpointId, 4, "what was not committed is not the latest");
  const recovered = await RecoveredCheckpoints.recover({ env, pointers: second.checkpointPointers("j"), retained: 2 });
  assert.deepEqual(recovered.all.map((one) => one.metadata.checkpointId), [3, 4]);
  assert.equal(await env.fs.status("/chk/chk-2/_metadata"), undefined);
  assert.equal(await second.checkpointIdCounter("j").getAndIncrement(), 5);
  await second.checkpointIdCounter("j").advanceTo(3);
  assert.equal(await second.checkpointIdCounter("j").get(), 6, "never back");
  await recovered.discardAll();
  assert.deepEqual(await second.checkpointPointers("j").all(), []);
  assert.equal(await env.fs.status("/chk/chk-4/_metadata"), undefined);
});

test("checkpoints: a damaged or missing latest falls back to the one before, with a warning; with none left it is an error", async () => {
  const { env, warnings, first } = await stores();
  const pointers = first.checkpointPointers("j");
  const own = await RecoveredCheckpoints.recover({ env, pointers, retained: 3 });
  for (const id of [1, 2, 3]) await own.add(await checkpoint(env, id));
  await env.fs.writeAtomic("/chk/chk-3/_metadata", new TextEncoder().encode('{"cut'));
  await env.fs.delete("/chk/chk-2");
  const recovered = await RecoveredCheckpoints.recover({ env, pointers, retained: 3 });
  assert.equal(recovered.latest?.metadata.checkpointId, 1);
  assert.equal(warnings.filter((line) => /^warn checkpoint [23] is lost/.test(line)).length, 2);
  await recovered.add(await checkpoint(env, 4));
  assert.deepEqual((await pointers.all()).map((one) => one.checkpointId), [1, 4], "the lost ones are forgotten");
  await env.fs.delete("/chk");
  await assert.rejects(RecoveredCheckpoints.recover({ env, pointers, retained: 3 }), withCode("CHECKPOINT_NOT_FOUND"));
});

test("the services that the configuration names are made, or refused by option", async () => {
  const { env } = new VirtualTime();
  const make = (config: Record<string, unknown>) =>
    createHighAvailabilityServices({
      env, config: Configuration.of(config, processOptions), contender: "c", fixedAddress: (component) => `${component}@localhost`, temporaryDirectory: "/tmp",
      loadPackage: async (name) => { throw new Error(`no ${name}`); },
    });
  await (await make({})).close();
  await (await make({ "high-availability.type": "file", "high-availability.storageDir": "/s" })).close();
  const refusals = [
    [{ "high-availability.type": "file" }, "HA_OPTION_MISSING"], [{ "high-availability.type": "zookeeper", "high-availability.storageDir": "/s" }, "HA_PACKAGE_MISSING"],
    [{ "high-availability.type": "file", "high-availability.storageDir": "/s", "high-availability.cluster-id": "../x" }, "CONFIG_BAD_VALUE"],
    [{ "high-availability.type": "file", "high-availability.storageDir": "/s", "high-availability.file.lease-timeout": 1000, "high-availability.file.lease-interval": 900 }, "CONFIG_BAD_VALUE"],
  ] as const;
  for (const [config, code] of refusals) await assert.rejects(make(config), withCode(code), JSON.stringify(config));
});
