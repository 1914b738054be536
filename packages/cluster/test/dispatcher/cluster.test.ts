import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Configuration, allOptions, clusterOptions, type LogSink } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import { ArtifactCache, ClusterClient, JobManager, TaskManager } from "../../src/index.js";
import { nodeClusterEnv } from "../../src/process/node-cluster-env.js";
import { twoVertexGraph } from "../scripted-slots.js";
import { ScriptedHost } from "./scripted-host.js";

/* JobManager, TaskManagers and clients over real connections, with slots that do what a well-behaved runtime does. */
const logged: string[] = [];
const log: LogSink = { write: (level, line) => void logged.push(`${level} ${line}`) };
const env = nodeClusterEnv(log);

interface World {
  readonly jobManager: JobManager;
  readonly client: ClusterClient;
  readonly artifact: string;
  /** @param port of the JobManager, or of what is between */
  add(numberOfSlots: number, port?: number): Promise<{ readonly host: ScriptedHost; readonly taskManager: TaskManager; readonly fatal: Promise<string> }>;
  submit(jobGraph: JobGraph): Promise<string>;
}

async function world(t: { after(close: () => Promise<void>): void }): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-test-"));
  const config = Configuration.of({ "jobmanager.rpc.port": 0, "slot.request.timeout": "1 min" }, [...allOptions, ...clusterOptions]);
  const jobManager = await JobManager.start({ env, config, directory, fencingToken: env.randomHex(16) });
  const client = await ClusterClient.connect({ env, jobManagers: () => [{ host: "127.0.0.1", port: jobManager.port }] });
  const taskManagers: TaskManager[] = [];
  t.after(async () => {
    client.close();
    await Promise.all(taskManagers.map((taskManager) => taskManager.stop()));
    await jobManager.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const artifact = await client.upload(new TextEncoder().encode('import x from "millrace-installation:millrace";'));
  return {
    jobManager, client, artifact,
    add: async (numberOfSlots, port = jobManager.port) => {
      const host = new ScriptedHost(env.clock);
      const taskManagerId = env.randomHex(4);
      let die!: (code: string) => void;
      const fatal = new Promise<string>((resolve) => (die = resolve));
      const taskManager = await new Promise<TaskManager>((resolve) => {
        const made = new TaskManager({
          env, slots: host, registrationTimeoutMs: 10_000, fatal: ({ code }) => die(code),
          about: { taskManagerId, host: "127.0.0.1", numberOfSlots, processId: process.pid, hardware: { cpuCores: 1, physicalMemoryBytes: 0, heapBytes: 0 } },
          findJobManager: async () => ({ host: "127.0.0.1", port }),
          temporaryDirectory: join(directory, "slots"), artifacts: new ArtifactCache(env, join(directory, env.randomHex(4)), "file:///library.mjs"), onRegistered: () => resolve(made),
        });
        made.start();
      });
      taskManagers.push(taskManager);
      await until(() => jobManager.resources.taskManagers.some(({ about }) => about.taskManagerId === taskManagerId));
      return { host, taskManager, fatal };
    },
    submit: async (jobGraph) => (await client.submit({ jobGraph, artifact, source: "/job.ts", args: ["x"], cancelOnExit: false })).jobId,
  };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise<void>((resolve) => env.clock.setTimer(5, resolve));
}

const graph = (parallelism: number, config: Record<string, unknown> = {}): JobGraph => ({ ...twoVertexGraph(config, parallelism), jobId: env.randomHex(16) });
const running = (host: ScriptedHost): boolean => host.commands.some(({ type }) => type === "run");

test("a job gets slots of several TaskManagers, the artifact, and connections within and between them", async (t) => {
  const { add, submit, client, jobManager } = await world(t);
  const [a, b] = [await add(2), await add(2)];
  const jobId = await submit(graph(4));
  await until(() => running(a.host) && running(b.host));
  assert.deepEqual([a.host, b.host].flatMap(({ localConnections }) => localConnections).sort(), [[0, 1], [2, 3]]);
  const openings = [a.host, b.host].flatMap(({ opened }) => [...opened.values()]);
  assert.deepEqual(openings.map(({ identity, usesLibrary, args }) => [identity.slotIndex, usesLibrary, args]).sort(), [0, 1, 2, 3].map((slot) => [slot, true, ["x"]]));
  assert.equal(new Set(openings.map(({ identity }) => identity.secret)).size, 1);
  assert.match(a.host.commands.find((command) => command.type === "start")!.job.temporaryDirectory, /\/slots\/[0-9a-f]{32}$/, "the TaskManager's own disk");
  const sockets = [a.host, b.host].flatMap(({ commands }) => commands).filter((command) => command.type === "connect");
  assert.equal(sockets.length, 8, "both ends of four pairs");
  assert.equal(sockets.filter(({ port }) => (port as { address?: unknown }).address !== undefined).length, 4);
  assert.deepEqual((await client.ask("overview", undefined)).taskManagers.map(({ freeSlots }) => freeSlots), [0, 0]);
  await client.ask("cancelJob", { jobId });
  assert.equal(await client.ask("jobStatus", { jobId }), "CANCELED");
  assert.deepEqual([a.host.opened.size, b.host.opened.size], [0, 0]);
  assert.deepEqual(jobManager.resources.taskManagers.map(({ freeSlots }) => freeSlots), [2, 2]);
});

test("a lost TaskManager fails its slots at once; the job waits for others and goes on there", async (t) => {
  const { add, submit, client } = await world(t);
  const [a, b] = [await add(1), await add(1)];
  const jobId = await submit(graph(2, { "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 5, "restart-strategy.fixed-delay.delay": 1 }));
  await until(() => running(a.host) && running(b.host));
  a.host.commands.length = 0;
  await b.taskManager.stop();
  await until(async () => (await client.ask("jobMetrics", { jobId })).restarts === 1);
  // Two slots are needed again: until a TaskManager comes, those of the attempt before are closed and none is opened.
  await until(() => a.host.opened.size === 0);
  const c = await add(1);
  await until(() => running(a.host) && running(c.host));
  assert.deepEqual(a.host.commands.find(({ type }) => type === "start")?.epoch, 2);
  await client.ask("cancelJob", { jobId });
});

test("the JobManager's log says why a job has failed: of one that was submitted and left, nothing else does", async (t) => {
  const { add, submit, client } = await world(t);
  const { host } = await add(1);
  const jobId = await submit(graph(1, { "restart-strategy.type": "none" }));
  await until(() => running(host));
  host.failOne();
  await until(async () => (await client.ask("jobStatus", { jobId })) === "FAILED");
  assert.ok(logged.some((line) => line.startsWith("error ") && line.includes(`(${jobId.slice(0, 8)}): failed: lost`)), logged.join("\n"));
});

test("a slot that does not stop ends its TaskManager, and the job goes on without it", async (t) => {
  const { add, submit, client } = await world(t);
  const a = await add(1);
  const jobId = await submit(graph(1));
  await until(() => running(a.host));
  a.host.cannotTerminate = true;
  await client.ask("cancelJob", { jobId });
  assert.equal(await a.fatal, "SLOT_NOT_TERMINATED");
  a.host.cannotTerminate = false;
  assert.equal(await client.ask("jobStatus", { jobId }), "CANCELED");
  assert.deepEqual((await client.ask("overview", undefined)).taskManagers, []);
});

test("submissions without shape, artifact or a new id are refused", async (t) => {
  const { client, artifact } = await world(t);
  const good = { jobGraph: graph(1), artifact, source: "/job.ts", args: [], cancelOnExit: false };
  const bad = [{ jobGraph: null }, { jobGraph: { ...good.jobGraph, jobId: "../../x" } }, { jobGraph: { ...good.jobGraph, vertices: [null] } }, { args: [1] },
    { jobGraph: { ...good.jobGraph, edges: [{ id: "e", sourceVertexId: "nobody", targetVertexId: "map" }] } }, { jobGraph: { ...good.jobGraph, vertices: [{ ...good.jobGraph.vertices[0], operators: [null] }] } }];
  for (const change of bad) await assert.rejects(client.ask("submitJob", { ...good, ...change, attached: false } as never), { code: "JOB_SUBMISSION_INVALID" });
  await assert.rejects(client.submit({ ...good, artifact: "0".repeat(64) }), { code: "BLOB_NOT_FOUND" });
  await assert.rejects(client.submit({ ...good, artifact: "../../etc/passwd" }), { code: "BLOB_KEY_INVALID" });
  await assert.rejects(client.submit({ ...good, jobGraph: { ...good.jobGraph, config: { "no.such.key": 1 } } }), { code: "CONFIG_UNKNOWN_KEY" });
  await client.submit(good);
  await assert.rejects(client.submit(good), { code: "JOB_ALREADY_SUBMITTED" });
  await assert.rejects(client.ask("jobStatus", { jobId: "f00" }), { code: "JOB_UNKNOWN" });
});

/** A network between a TaskManager and its JobManager that can stop to carry anything. */
async function network(t: { after(close: () => void): void }, to: number): Promise<{ readonly port: number; interrupt(): void; mend(): void }> {
  const sockets: Socket[] = [];
  const server = createServer((inner) => {
    const outer = connect({ host: "127.0.0.1", port: to });
    for (const [from, into] of [[inner, outer], [outer, inner]] as const) {
      sockets.push(from);
      from.on("data", (bytes) => into.write(bytes));
      from.on("error", () => undefined);
      from.on("close", () => into.destroy());
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, interrupt: () => sockets.forEach((socket) => socket.pause()), mend: () => sockets.forEach((socket) => socket.resume()) };
}

test("a network that carries nothing for a while stops no job: what was sent arrives later", async (t) => {
  const { add, submit, client, jobManager } = await world(t);
  const between = await network(t, jobManager.port);
  const { host } = await add(1, between.port);
  const jobId = await submit(graph(1));
  await until(() => running(host));
  between.interrupt();
  const checkpoint = client.ask("triggerCheckpoint", { jobId });
  await client.ask("overview", undefined);
  assert.ok(!host.commands.some(({ type }) => type === "triggerCheckpoint"));
  between.mend();
  assert.match(await checkpoint, /chk-1$/);
  assert.equal((await client.ask("jobMetrics", { jobId })).restarts, 0);
});
