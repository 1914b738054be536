import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { RPC_PROTOCOL_VERSION } from "@millrace/cluster";
import { ZooKeeperServer, zookeeperMissing } from "../../tools/services/zookeeper/zookeeper-server.js";
import { committedLines, differenceOf, numberedLines } from "./counted-words.js";
import { LocalCluster, isRunning, leads, until, type ClusterProcess, type JobManagerProcess, type Release } from "./processes.js";

/*
 * Several JobManagers as real processes. Invariant: whatever happens to the one that leads, and to what they agree through, the files that a job commits
 * hold what they hold without a failure, and the client that waits for the job sees it finish.
 */
const job = fileURLToPath(new URL("./jobs/count-words.ts", import.meta.url));
const KEYS = 40;
const skip = zookeeperMissing();

type Kind = "file" | "zookeeper";
const kinds: readonly { readonly kind: Kind; readonly options: { readonly skip?: string } }[] = [
  { kind: "file", options: {} }, { kind: "zookeeper", options: skip === undefined ? {} : { skip } },
];

interface World {
  readonly cluster: LocalCluster;
  /** Of the job. */
  readonly args: readonly string[];
  readonly zookeeper: ZooKeeperServer | undefined;
  readonly jobManagers: JobManagerProcess[];
  /** `-m` of a client. */
  readonly addresses: () => string;
  readonly leader: () => JobManagerProcess;
  readonly standby: () => JobManagerProcess;
  /** Runs the job attached; resolves once it has completed so many checkpoints. */
  readonly run: () => Promise<ClusterProcess>;
  /** Resolves once files were committed that are not there now, or, when `client` is named, its job has ended. */
  readonly newOutput: (client?: ClusterProcess) => Promise<void>;
  /** Lets the job come to its end, which it does not before: its client ends well, and the output is what it has to be. */
  readonly finished: (client: ClusterProcess) => Promise<void>;
}

/** Two JobManagers and two TaskManagers with two slots each. Leases and session time-outs are the defaults. */
async function world(t: TestContext, kind: Kind, { lines = 20_000, jobManagers: count = 2 } = {}): Promise<World> {
  const zookeeper = kind === "zookeeper" ? await ZooKeeperServer.start() : undefined;
  const cluster = new LocalCluster((directory) => ({
    "high-availability.type": kind, "high-availability.storageDir": join(directory, "ha"), "taskmanager.numberOfTaskSlots": "2", "cluster.evenly-spread-out-slots": "true",
    ...(zookeeper === undefined ? {} : { "high-availability.zookeeper.quorum": zookeeper.quorum }),
  }));
  t.after(async () => {
    await cluster.stop();
    await zookeeper?.remove();
  });
  const input = join(cluster.directory, "input.txt");
  const output = join(cluster.directory, "output");
  const done = join(cluster.directory, "done");
  writeFileSync(input, Array.from({ length: lines }, (_, i) => `key${(i * 7919) % KEYS} ${i}\n`).join(""));
  const jobManagers = await Promise.all(Array.from({ length: count }, () => cluster.addJobManager()));
  // They are ready once they have registered.
  if (count > 0) await Promise.all([cluster.startTaskManager(), cluster.startTaskManager()]);
  else for (let i = 0; i < 2; i++) cluster.spawn(["taskmanager", ...cluster.definitions]);
  const files = (): string[] => {
    try {
      return readdirSync(output).filter((name) => !name.startsWith("."));
    } catch {
      return [];
    }
  };
  const newOutput = async (client?: ClusterProcess): Promise<void> => {
    const before = new Set(files());
    await until(() => (client !== undefined && !isRunning(client)) || files().some((name) => !before.has(name)));
  };
  const args = ["-p", "2", "-D", "execution.checkpointing.interval=200 ms", job, "--input", input, "--output", output, "--pause-every", "40",
    "--lines", `${lines}`, "--slow-from", `${lines / 2}`, "--slow-until", done];
  const self: World = {
    cluster, args, zookeeper, jobManagers, newOutput,
    addresses: () => jobManagers.map(({ port }) => `127.0.0.1:${port}`).join(","),
    leader: () => jobManagers.find((one) => isRunning(one) && leads(one))!,
    standby: () => jobManagers.find((one) => isRunning(one) && !leads(one))!,
    run: async () => {
      await until(() => self.leader() !== undefined);
      const client = cluster.spawn(["run", "-m", self.addresses(), ...args]);
      await Promise.race([newOutput().then(() => newOutput()), client.ended.then(() => assert.fail(client.output()))]);
      return client;
    },
    finished: async (client) => {
      writeFileSync(done, "");
      const logs = (): string => [client, ...jobManagers].map((one) => one.output().slice(-4000)).join("\n-----\n");
      assert.equal(await client.ended, 0, logs());
      assert.equal(differenceOf(committedLines(output), numberedLines(input)), "", logs());
    },
  };
  return self;
}

for (const { kind, options } of kinds) {
  test(`kill -9 of the leader: the standby goes on from the last checkpoint (${kind})`, options, async (t) => {
    const { leader, standby, run, newOutput, finished, cluster } = await world(t, kind);
    const client = await run();
    const [killed, next] = [leader(), standby()];
    const jobId = /JobID ([0-9a-f]{32})/.exec(client.output())![1]!;
    const moved = (): Promise<Response> => fetch(`${next.restUrl}/v1/jobs/overview`, { redirect: "manual" });
    // It may not have heard yet who leads.
    await until(async () => (await moved()).status === 307);
    assert.equal((await moved()).headers.get("location"), `${killed.restUrl}/v1/jobs/overview`);
    assert.match(await (await fetch(`${next.restUrl}/v1/jobs/overview`)).text(), new RegExp(jobId));
    killed.child.kill("SIGKILL");
    const killedMs = performance.now();
    await until(() => next.output().includes("is recovered"));
    await newOutput(client);
    t.diagnostic(`${kind}: ${Math.round(performance.now() - killedMs)} ms from kill -9 of the leader to the first new output`);
    await finished(client);
    // Another leader knows how it ended, and does not run it again.
    await cluster.addJobManager(killed.port);
    next.child.kill("SIGKILL");
    const list = await cluster.run("list", "-a", ...cluster.definitions);
    assert.equal(list.code, 0, list.output);
    assert.doesNotMatch(list.output, new RegExp(jobId));
  });

  test(`commands find the leader by the configuration, the next one too (${kind})`, options, async (t) => {
    const { cluster, args, leader, standby, newOutput } = await world(t, kind);
    const command = (name: string, ...more: readonly string[]) => cluster.run(name, ...cluster.definitions, ...more);
    const submitted = await command("run", "-t", "remote", "-d", "-D", "jobmanager.scheduler=adaptive", "-D", "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling=0", ...args);
    assert.equal(submitted.code, 0, submitted.output);
    const jobId = /JobID ([0-9a-f]{32})/.exec(submitted.output)![1]!;
    await newOutput();
    const [killed, next] = [leader(), standby()];
    const rescaled = await command("rescale", jobId, "-p", "1");
    assert.equal(rescaled.code, 0, rescaled.output);
    killed.child.kill("SIGKILL");
    // It waits for the next one to be elected.
    const stopped = await command("stop", "-p", join(cluster.directory, "savepoints"), jobId.slice(0, 8));
    assert.equal(stopped.code, 0, `${stopped.output}\n${next.output()}`);
    assert.match(stopped.output, /savepoints\/savepoint-/);
    const list = await command("list", "-a");
    assert.match(list.output, new RegExp(`${jobId} : .*\\(FINISHED\\)`));
    assert.match(next.output(), /is recovered/);
  });

  test(`a leader that hangs past its lease and wakes up does no harm (${kind})`, options, async (t) => {
    const { leader, standby, run, newOutput, finished } = await world(t, kind);
    const client = await run();
    const [stopped, next] = [leader(), standby()];
    stopped.child.kill("SIGSTOP");
    await until(() => next.output().includes("is recovered"));
    stopped.child.kill("SIGCONT");
    await until(() => stopped.output().includes("no longer leads"));
    await newOutput(client);
    await finished(client);
    assert.ok(isRunning(stopped), "it goes on as a standby");
  });

  test(`both JobManagers killed and started again (${kind})`, options, async (t) => {
    const { jobManagers, run, finished, cluster } = await world(t, kind);
    const client = await run();
    for (const { child } of jobManagers) child.kill("SIGKILL");
    for (const [at, { port, ended }] of jobManagers.entries()) {
      await ended;
      jobManagers[at] = await cluster.addJobManager(port);
    }
    await finished(client);
  });

  test(`an application whose leading JobManager is killed ends in the other one, and does not run again (${kind})`, options, async (t) => {
    const { cluster, args, newOutput, finished } = await world(t, kind, { jobManagers: 0 });
    const start = (): ClusterProcess => cluster.spawn(["standalone-job", ...cluster.definitions, "-D", "jobmanager.rpc.port=0", ...args]);
    const both = [start(), start()];
    const leadsNow = (one: ClusterProcess): boolean => one.output().includes(" leads, at ") && isRunning(one);
    await until(() => both.some(leadsNow));
    await newOutput();
    await newOutput();
    both.find(leadsNow)!.child.kill("SIGKILL");
    const other = both.find((one) => !leadsNow(one) && isRunning(one))!;
    await finished(other);
    assert.match(other.output(), /is recovered/);
    const again = start();
    await finished(again);
    assert.doesNotMatch(again.output(), /RUNNING/);
  });
}

test("ZooKeeper crashes and comes back: the leader steps down, is elected again, and goes on", kinds[1]!.options, async (t) => {
  const { zookeeper, jobManagers, run, newOutput, finished } = await world(t, "zookeeper");
  const client = await run();
  await zookeeper!.stop();
  await until(() => jobManagers.some((one) => one.output().includes("no longer leads")));
  await zookeeper!.start();
  await until(() => jobManagers.some((one) => one.output().includes("is recovered")));
  await newOutput(client);
  await finished(client);
});

test("a rolling upgrade: neighbouring releases work together, others are refused by name, and the job goes on from its last checkpoint", async (t) => {
  const next: Release = { version: "0.2.0", protocol: RPC_PROTOCOL_VERSION + 1 };
  const { cluster, jobManagers, leader, standby, run, newOutput, finished } = await world(t, "file", { lines: 40_000 });
  const client = await run();
  for (const [release, code] of [[{ version: "0.3.0", protocol: RPC_PROTOCOL_VERSION }, "RPC_MILLRACE_VERSION"], [{ version: "0.1.0", protocol: RPC_PROTOCOL_VERSION + 2 }, "RPC_PROTOCOL_VERSION"]] as const) {
    const stranger = cluster.spawn(["taskmanager", ...cluster.definitions, "-D", "taskmanager.registration.timeout=1 s"], release);
    assert.equal(await stranger.ended, 1);
    assert.match(stranger.output(), new RegExp(code));
  }
  assert.doesNotMatch(leader().output(), /RESTARTING/, "the job has not noticed");
  // Standby, leader, then the TaskManagers.
  for (const old of [standby(), leader()]) {
    old.child.kill("SIGTERM");
    assert.equal(await old.ended, 0, old.output());
    jobManagers[jobManagers.indexOf(old)] = await cluster.addJobManager(old.port, next);
    await until(() => leader() !== undefined);
  }
  await newOutput(client);
  const old = [...cluster.taskManagers];
  await Promise.all([cluster.startTaskManager({}, next), cluster.startTaskManager({}, next)]);
  for (const { child, ended } of old) {
    child.kill("SIGTERM");
    assert.equal(await ended, 0);
  }
  await finished(client);
});
