import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Configuration, MillraceError, processOptions, type LogSink } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import {
  ApplicationJob, ArtifactCache, ClusterClient, CoordinatedServices, EmbeddedCoordinator, JobManager, JobManagerRunner, TaskManager, connectToLeader, leaderOfRefusal, parseAddress,
} from "../../src/index.js";
import { nodeClusterEnv } from "../../src/process/node-cluster-env.js";
import { twoVertexGraph } from "../scripted-slots.js";
import { ScriptedHost } from "./scripted-host.js";

/* Two JobManagers, a TaskManager and clients over real connections, with a coordination in memory that takes the leadership away when it is told to. */
const log: LogSink = { write: () => undefined };
const env = nodeClusterEnv(log);
const config = Configuration.of({ "jobmanager.rpc.port": 0 }, processOptions);
const bytes = new TextEncoder().encode('import x from "millrace-installation:millrace";');

interface World {
  readonly directory: string;
  readonly coordinator: EmbeddedCoordinator;
  readonly runners: readonly JobManagerRunner[];
  readonly host: ScriptedHost;
  readonly taskManager: TaskManager;
  /** A client that knows both. */
  readonly client: ClusterClient;
  readonly leader: () => JobManager;
  /** Resolves when the other one has taken up the jobs. */
  readonly failOver: () => Promise<void>;
  readonly submit: (jobGraph: JobGraph, status?: (status: string) => void) => Promise<string>;
}

async function world(t: { after(close: () => Promise<void>): void }, onLeader?: (at: number, leader: JobManager | undefined) => void): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-test-"));
  const coordinator = new EmbeddedCoordinator(env);
  const services = (name: string): CoordinatedServices => new CoordinatedServices({
    env, contender: name, coordination: coordinator.connect(), storageDirectory: `${directory}/ha`, jobResultDirectory: `${directory}/ha/results`, deleteResultOnCommit: false,
  });
  const runners = await Promise.all([0, 1].map((at) => JobManagerRunner.start({
    env, config, services: services(`jm${at}`), directory: `${directory}/ha`, fatal: (error) => assert.fail(error), onLeader: (leader) => onLeader?.(at, leader),
  })));
  for (const [at, runner] of runners.entries()) runner.stand(`http://jm${at}`);
  await until(() => runners.some(({ leader }) => leader !== undefined));
  const [first, second] = runners.map(({ port }) => ({ host: "127.0.0.1", port }));
  const client = await ClusterClient.connect({ env, jobManagers: () => [first!, second!] });
  const host = new ScriptedHost(env.clock);
  const watcher = services("tm").leaderRetrieval("dispatcher");
  let known: { readonly host: string; readonly port: number; readonly fencingToken: number | undefined } | undefined;
  const taskManager = new TaskManager({
    env, slots: host, registrationTimeoutMs: 60_000, fatal: (error) => assert.fail(error),
    about: { taskManagerId: "tm", host: "127.0.0.1", numberOfSlots: 4, processId: 1, hardware: { cpuCores: 1, physicalMemoryBytes: 0, heapBytes: 0 } },
    findJobManager: async () => {
      if (known === undefined) throw new Error("nobody leads");
      return known;
    },
    temporaryDirectory: join(directory, "slots"), artifacts: new ArtifactCache(env, join(directory, "tm"), "file:///library.mjs"),
  });
  watcher.start((leader) => {
    known = leader === undefined ? undefined : { ...parseAddress(leader.address)!, fencingToken: leader.fencingToken };
    if (leader?.fencingToken !== undefined) taskManager.leaderChanged(leader.fencingToken);
  });
  taskManager.start();
  t.after(async () => {
    client.close();
    watcher.close();
    await taskManager.stop();
    await Promise.all(runners.map((runner) => runner.stop({ cancelJobs: false })));
    rmSync(directory, { recursive: true, force: true });
  });
  const artifact = await client.upload(bytes);
  return {
    directory, coordinator, runners, host, taskManager, client,
    leader: () => runners.find(({ leader }) => leader !== undefined)!.leader!,
    failOver: async () => {
      const before = runners.find(({ leader }) => leader !== undefined)!;
      coordinator.revokeLeader();
      await until(() => runners.some((runner) => runner !== before && runner.leader !== undefined));
    },
    submit: async (jobGraph, status = () => undefined) => {
      const job = { jobGraph, artifact, source: "/job.ts", args: [], cancelOnExit: false };
      return (await client.submit(job, { log, collected: () => undefined, status })).jobId;
    },
  };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise<void>((resolve) => env.clock.setTimer(5, resolve));
}

const graph = (settings: Record<string, unknown> = {}): JobGraph => ({ ...twoVertexGraph(settings, 1), jobId: env.randomHex(16) });
const runs = (host: ScriptedHost): number => host.commands.filter(({ type }) => type === "run").length;
const deployed = (host: ScriptedHost): { readonly attemptNumber: number; readonly restored: boolean }[] =>
  host.commands.filter((command) => command.type === "deploy").map(({ tasks: [task] }) => ({ attemptNumber: task!.attempt.attemptNumber, restored: task!.restore !== undefined }));

test("the next leader goes on with a job from its last checkpoint; client and TaskManager find it", async (t) => {
  const { directory, host, client, submit, failOver, leader } = await world(t);
  const statuses: string[] = [];
  const jobId = await submit(graph({ "execution.checkpointing.interval": "1 h", "execution.checkpointing.dir": `${directory}/checkpoints` }), (status) => void statuses.push(status));
  const result = client.job(jobId).getJobExecutionResult();
  await until(() => runs(host) === 1);
  const path = await client.job(jobId).triggerCheckpoint();
  assert.match(path, /chk-1$/);
  await failOver();
  await until(() => runs(host) === 2);
  assert.deepEqual(deployed(host), [{ attemptNumber: 0, restored: false }, { attemptNumber: 2_000_000, restored: true }]);
  assert.equal(leader().dispatcher.job(jobId).master.lastCheckpointPath, path);
  const next = await client.job(jobId).triggerCheckpoint();
  assert.match(next, /chk-[2-3]$/, "ids are never used twice; the one that was reserved may be left out");
  await until(() => statuses.filter((status) => status === "RUNNING").length === 2);
  host.finishAll();
  assert.equal((await result).jobId, jobId);
  // The artifact goes with the last job that needs it, after everything else.
  await until(() => readdirSync(`${directory}/ha/blobs`).length === 0);
  assert.deepEqual(readdirSync(`${directory}/ha/plans`), []);
  assert.deepEqual(readdirSync(`${directory}/ha/results`), [`${jobId}.json`]);
});

test("a job that has ended is not run again, and later leaders know how it ended", async (t) => {
  const { directory, host, client, submit, failOver, leader } = await world(t);
  const jobGraph = graph();
  const jobId = await submit(jobGraph);
  await until(() => runs(host) === 1);
  host.finishAll();
  await client.job(jobId).getJobExecutionResult();
  // Behind the result, so that it does not take what is uploaded below.
  await until(() => readdirSync(`${directory}/ha/blobs`).length === 0);
  await failOver();
  assert.deepEqual(leader().dispatcher.list(), []);
  assert.equal(await client.job(jobId).getJobStatus(), "FINISHED");
  assert.equal((await client.job(jobId).getJobExecutionResult()).jobName, "test");
  assert.equal((await client.job(jobId).getMetrics()).status, "FINISHED");
  const artifact = await client.upload(bytes);
  await assert.rejects(client.submit({ jobGraph, artifact, source: "/job.ts", args: [], cancelOnExit: false }), { code: "JOB_ALREADY_SUBMITTED" });
  const canceled = await submit(graph());
  await until(() => runs(host) === 2);
  await client.job(canceled).cancel();
  await failOver();
  await assert.rejects(client.job(canceled).getJobExecutionResult(), { code: "JOB_CANCELED" });
  await assert.rejects(client.job("f".repeat(32)).getJobStatus(), { code: "JOB_UNKNOWN" });
});

test("a leader that lost lets go of its jobs without ending them, and takes no more", async (t) => {
  const { host, submit, failOver, leader, client } = await world(t);
  const jobId = await submit(graph());
  await until(() => runs(host) === 1);
  const old = leader();
  const { master } = old.dispatcher.job(jobId);
  await failOver();
  assert.equal(master.status, "SUSPENDED");
  await assert.rejects(master.result, { code: "JOB_SUSPENDED" });
  master.cancel();
  assert.equal(master.status, "SUSPENDED");
  await assert.rejects(old.dispatcher.submit({ jobGraph: graph(), artifact: "0".repeat(64), source: "/job.ts", args: [] }), { code: "CLUSTER_STOPPING" });
  await until(() => runs(host) === 2);
  assert.equal(await client.job(jobId).getJobStatus(), "RUNNING");
});

test("a standby refuses everybody and names the leader; a client that knows only standbys finds it", async (t) => {
  const { runners } = await world(t);
  const standby = runners.find(({ leader }) => leader === undefined)!;
  const led = runners.find(({ leader }) => leader !== undefined)!;
  await until(() => standby.leaderRestUrl !== undefined);
  const refusal = await connectToLeader({ env, role: "taskmanager", about: null }, [{ host: "127.0.0.1", port: standby.port }]).catch((error: unknown) => error);
  assert.ok(refusal instanceof MillraceError);
  assert.equal(refusal.code, "TASK_MANAGER_INVALID", "it was sent on to the leader, which found fault with what it said of itself");
  assert.match(standby.leaderRestUrl!, /^http:\/\/jm[01]$/);
  const client = await ClusterClient.connect({ env, jobManagers: () => [{ host: "127.0.0.1", port: standby.port }] });
  assert.equal((await client.ask("overview", undefined)).jobsRunning, 0);
  client.close();
  await led.stop({ cancelJobs: false });
  await until(() => standby.leader !== undefined);
  await assert.rejects(connectToLeader({ env, role: "client", about: null }, [{ host: "127.0.0.1", port: led.port }]), { code: "CONNECTION_FAILED" });
  assert.equal(leaderOfRefusal(new Error("no")), undefined);
});

test("a TaskManager refuses a JobManager that answers under another token than the election told, and goes to the one that has it", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-test-"));
  const start = (fencingToken: string): Promise<JobManager> => JobManager.start({ env, config, directory: join(directory, fencingToken), fencingToken });
  const [past, present] = [await start("6"), await start("7")];
  const logged: string[] = [];
  let told = { port: past.port, fencingToken: 7 };
  const taskManager = new TaskManager({
    env: { ...env, log: { write: (_, line) => void logged.push(line) } }, slots: new ScriptedHost(env.clock), registrationTimeoutMs: 60_000, fatal: (error) => assert.fail(error),
    about: { taskManagerId: "tm", host: "127.0.0.1", numberOfSlots: 1, processId: 1, hardware: { cpuCores: 1, physicalMemoryBytes: 0, heapBytes: 0 } },
    findJobManager: async () => ({ host: "127.0.0.1", ...told }), temporaryDirectory: join(directory, "slots"), artifacts: new ArtifactCache(env, join(directory, "tm"), "file:///library.mjs"),
  });
  t.after(async () => {
    await taskManager.stop();
    await Promise.all([past.stop(), present.stop()]);
    rmSync(directory, { recursive: true, force: true });
  });
  taskManager.start();
  const refusals = (): number => logged.filter((line) => line.includes("answers with fencing token 6, but the leader has 7")).length;
  await until(() => refusals() > 0);
  // Old news names the one of the past, token and all.
  taskManager.leaderChanged(7);
  told = { port: past.port, fencingToken: 6 };
  const before = refusals();
  await until(() => refusals() > before);
  assert.ok(!logged.some((line) => line.startsWith("registered")));
  told = { port: present.port, fencingToken: 7 };
  await until(() => present.resources.taskManagers.length === 1);
  await until(() => past.resources.taskManagers.length === 0);
});

test("the job of an application runs once over all its JobManagers, and ends in each of them", async (t) => {
  const submission = { jobGraph: graph(), artifact: env.sha256Hex(bytes), source: "/job.ts", args: [] };
  const applications = [0, 1].map(() => new ApplicationJob({ clock: env.clock, artifact: bytes, submission, observer: {} }));
  const { host, failOver, leader } = await world(t, (at, now) => applications[at]!.leaderChanged(now));
  await until(() => runs(host) === 1);
  await failOver();
  await until(() => runs(host) === 2);
  assert.deepEqual(leader().dispatcher.list().map(({ jobId }) => jobId), [submission.jobGraph.jobId]);
  const results = applications.map((application) => application.getJobExecutionResult());
  host.finishAll();
  await Promise.race(results);
  await failOver();
  assert.deepEqual((await Promise.all(results)).map(({ jobId }) => jobId), [submission.jobGraph.jobId, submission.jobGraph.jobId]);
  assert.equal(runs(host), 2);
});

test("the next leader keeps a job's resource requirements", async (t) => {
  const { host, client, submit, failOver } = await world(t);
  const jobId = await submit({ ...twoVertexGraph({ "jobmanager.scheduler": "adaptive", "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling": 0 }, 4), jobId: env.randomHex(16) });
  const bounds = async (): Promise<number[]> => (await client.ask("resourceRequirements", { jobId })).map(({ upperBound }) => upperBound);
  await until(() => runs(host) === 4);
  await client.ask("rescaleJob", { jobId, parallelism: 2 });
  await until(() => runs(host) === 6);
  await failOver();
  assert.deepEqual(await bounds(), [2, 2]);
  await until(() => runs(host) === 8);
  await client.ask("rescaleJob", { jobId, parallelism: 1 });
  await failOver();
  assert.deepEqual(await bounds(), [1, 1], "whether it had taken effect or not");
});

test("a stop behind a savepoint that the leader does not live to see is completed by the next one", async (t) => {
  const { directory, host, client, submit, failOver } = await world(t);
  const jobId = await submit(graph());
  const stops = (): number => host.commands.filter((command) => command.type === "triggerCheckpoint" && command.options?.stop === "suspend").length;
  await until(() => runs(host) === 1);
  host.holdsCheckpoints = true;
  const stopped = client.stopWithSavepoint(jobId, { directory: `${directory}/savepoints` });
  await until(() => stops() > 0);
  const before = stops();
  host.holdsCheckpoints = false;
  await failOver();
  assert.match(await stopped, /savepoints\/savepoint-/);
  assert.ok(stops() > before);
  assert.equal(await client.job(jobId).getJobStatus(), "FINISHED");
});

test("a later leader knows of a stop that was completed before anybody was told", async (t) => {
  const { directory, host, client, submit, failOver } = await world(t);
  const jobId = await submit(graph());
  await until(() => runs(host) === 1);
  const request = { jobId, directory: `${directory}/savepoints`, requestId: "one" };
  const path = await client.ask("stopWithSavepoint", request);
  await failOver();
  assert.equal(await client.ask("stopWithSavepoint", request), path);
  await assert.rejects(client.ask("stopWithSavepoint", { ...request, requestId: "two" }), { code: "JOB_NOT_RUNNING" });
});
