import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LocalCluster, until } from "./processes.js";

/* The commands of a cluster, with real processes. */
const job = (name: string): string => fileURLToPath(new URL(`../../packages/cli/test/jobs/${name}`, import.meta.url));
let cluster: LocalCluster;

before(async () => {
  cluster = await LocalCluster.start(2, { "taskmanager.numberOfTaskSlots": "2", "slot.request.timeout": "1 s" });
});
after(() => cluster.stop());

const run = (...args: readonly string[]) => cluster.run("run", "-m", cluster.address, ...args);
const submitted = (output: string): string => /JobID ([0-9a-f]{32})/.exec(output)![1]!;

async function status(jobId: string): Promise<string> {
  const client = await cluster.client();
  try {
    return await client.ask("jobStatus", { jobId });
  } finally {
    client.close();
  }
}

test("what a job prints and collects comes to the attached client, whose program goes on with the result", async () => {
  const counted = await run("-p", "3", job("word-count.ts"), "a b a", "b");
  assert.equal(counted.code, 0, counted.output);
  assert.deepEqual(counted.output.split("\n").filter((line) => /^\d> /.test(line)).map((line) => line.slice(3)).sort(), ["a 1", "a 2", "b 1", "b 2"]);
  assert.match(counted.output, /after word count/);
  const collected = await run("-q", job("collect.ts"));
  assert.equal(collected.code, 0, collected.output);
  const local = await cluster.run("run", "-q", job("collect.ts"));
  assert.deepEqual(collected.output.split("\n").filter((line) => !line.startsWith("Job has been")).sort(), local.output.split("\n").sort());
});

test("a failing job fails its client with the place in the user's code", async () => {
  const { code, output } = await run(job("fails.ts"));
  assert.equal(code, 1);
  assert.match(output, /JOB_FAILED/);
  assert.match(output, /fails\.ts:\d+/);
});

test("a detached job is listed, cancelled by the beginning of its id, and remembered", async () => {
  const { code, output } = await run("-d", job("counts-for-ever.ts"));
  assert.equal(code, 0, output);
  const jobId = submitted(output);
  await until(async () => (await status(jobId)) === "RUNNING");
  const checkpoint = await cluster.run("checkpoint", "-m", cluster.address, jobId);
  assert.equal(checkpoint.code, 0, checkpoint.output);
  assert.match(checkpoint.output, new RegExp(`${jobId}/chk-1\n$`));
  const running = await cluster.run("list", "-r", "-m", cluster.address);
  assert.match(running.output, new RegExp(`${jobId} : .* \\(RUNNING\\)`));
  const canceled = await cluster.run("cancel", "-m", cluster.address, jobId.slice(0, 8));
  assert.equal(canceled.code, 0, canceled.output);
  const all = await cluster.run("list", "-a", "-m", cluster.address);
  assert.match(all.output, new RegExp(`Terminated Jobs -+\\n(.*\\n)*.*${jobId} : .* \\(CANCELED\\)`));
});

test("Ctrl-C leaves an attached job in the cluster, or cancels it when asked to", async () => {
  const leaving = cluster.spawn(["run", "-m", cluster.address, job("counts-for-ever.ts")]);
  await until(() => leaving.output().includes("JobID"));
  leaving.child.kill("SIGINT");
  assert.equal(await leaving.ended, 130);
  const left = submitted(leaving.output());
  assert.match(leaving.output(), new RegExp(`millrace cancel -m ${cluster.address} ${left}`));
  await until(async () => (await status(left)) === "RUNNING");
  await cluster.run("cancel", "-m", cluster.address, left);
  const cancelling = cluster.spawn(["run", "--shutdown-on-attached-exit", "-m", cluster.address, job("counts-for-ever.ts")]);
  await until(() => cancelling.output().includes("JobID"));
  cancelling.child.kill("SIGINT");
  assert.equal(await cancelling.ended, 130);
  assert.equal(await status(submitted(cancelling.output())), "CANCELED");
});

test("the death of a client cancels its job when that was asked for", async () => {
  const dying = cluster.spawn(["run", "--shutdown-on-attached-exit", "-m", cluster.address, job("counts-for-ever.ts")]);
  await until(() => dying.output().includes("JobID"));
  const jobId = submitted(dying.output());
  dying.child.kill("SIGKILL");
  await until(async () => (await status(jobId)) === "CANCELED");
});

test("a job that needs more slots than there are waits, says what is missing, and fails after its time-out", async () => {
  const { code, output } = await run("-p", "5", job("word-count.ts"));
  assert.equal(code, 1);
  assert.match(output, /waits for 5 slots; 2 TaskManagers with 4 slots are there, 4 of them free, so 1 are missing/);
  assert.match(output, /SLOTS_UNAVAILABLE/);
});

test("a waiting job can be cancelled at once, and leaves nothing behind", async () => {
  const { output } = await run("-d", "-p", "5", "-D", "restart-strategy.type=fixed-delay", "-D", "restart-strategy.fixed-delay.attempts=100", job("word-count.ts"));
  const canceled = await cluster.run("cancel", "-m", cluster.address, submitted(output));
  assert.equal(canceled.code, 0, canceled.output);
  const next = await run("-q", "-p", "4", job("word-count.ts"));
  assert.equal(next.code, 0, next.output);
});

test("a function that spins is stopped with its slot, and the slot is free again", async () => {
  const { output } = await run("-d", "-p", "4", "-D", "task.cancellation.timeout=100 ms", job("spins.ts"));
  const jobId = submitted(output);
  await until(() => cluster.taskManagers.some((taskManager) => taskManager.output().includes("spinning")) || status(jobId).then((now) => now === "RUNNING"));
  const canceled = await cluster.run("cancel", "-m", cluster.address, jobId);
  assert.equal(canceled.code, 0, canceled.output);
  const next = await run("-q", "-p", "4", job("word-count.ts"));
  assert.equal(next.code, 0, next.output);
});

test("jobs that cannot be planned are refused before anything is submitted", async () => {
  for (const [name, code] of [["throws-at-import.ts", ""], ["never-executes.ts", "JOB_NOT_DEFINED"], ["syntax-error.ts", "JOB_DOES_NOT_COMPILE"]] as const) {
    const result = await run(job(name));
    assert.notEqual(result.code, 0);
    assert.match(result.output, new RegExp(code));
    assert.doesNotMatch(result.output, /JobID/);
  }
});

test("wrong usage is told apart", async () => {
  const detached = await cluster.run("run", "-d", job("word-count.ts"));
  assert.equal(detached.code, 2);
  assert.match(detached.output, /-d needs a cluster/);
  const both = await cluster.run("run", "-t", "local", "-m", cluster.address, job("word-count.ts"));
  assert.equal(both.code, 2);
  const unfinished = await cluster.run("list", "-D", "high-availability.type=zookeeper", "-D", "high-availability.zookeeper.quorum=127.0.0.1:1");
  assert.match(unfinished.output, /HA_OPTION_MISSING[^]*storageDir/);
  const leaderless = await cluster.run("list", "-D", "high-availability.type=file", "-D", `high-availability.storageDir=${join(cluster.directory, "nobody")}`, "-D", "client.timeout=200 ms");
  assert.equal(leaderless.code, 1);
  assert.match(leaderless.output, /LEADER_UNKNOWN/);
  const address = await cluster.run("list", "-m", "nowhere");
  assert.equal(address.code, 2);
  const nobody = await cluster.run("list", "-m", "127.0.0.1:1");
  assert.equal(nobody.code, 1);
  assert.match(nobody.output, /CONNECTION_FAILED/);
  const unknown = await cluster.run("cancel", "-m", cluster.address, "beef");
  assert.equal(unknown.code, 2);
  assert.match(unknown.output, /JOB_UNKNOWN/);
});

test("a process that others could reach is refused", async () => {
  for (const args of [["jobmanager", "-D", "jobmanager.bind-host=0.0.0.0"], ["taskmanager", "-D", "taskmanager.bind-host=0.0.0.0"]]) {
    const { code, output } = await cluster.run(...args);
    assert.equal(code, 2, output);
    assert.match(output, /BIND_NOT_LOOPBACK/);
    assert.match(output, /TLS and authentication/);
  }
});

test("processes read config.yaml, and refuse what they cannot do", async () => {
  const [configDir, directory] = [join(cluster.directory, "conf"), join(cluster.directory, "configured")];
  mkdirSync(configDir);
  const write = (text: string): void => writeFileSync(join(configDir, "config.yaml"), text);
  write("jobmanager:\n  rpc:\n    port: 0\nrest.port: 0\ntaskmanager.numberOfTaskSlots: 3\n");
  const started = await cluster.run("start-cluster", "--configDir", configDir, "--dir", directory);
  assert.equal(started.code, 0, started.output);
  assert.match(started.output, /TaskManager 1 with 3 slots/);
  await cluster.run("stop-cluster", "--dir", directory);
  write("jobmanager.rpc.prt: 0\n");
  const misspelt = await cluster.run("jobmanager", "--configDir", configDir);
  assert.equal(misspelt.code, 2, misspelt.output);
  assert.match(misspelt.output, /CONFIG_UNKNOWN_KEY[^]*config\.yaml[^]*jobmanager\.rpc\.port/);
  for (const command of ["jobmanager", "taskmanager"]) {
    write("high-availability.type: zookeeper\nhigh-availability.zookeeper.quorum: localhost:2181\njobmanager.rpc.port: 0\nrest.port: 0\n");
    const nowhere = await cluster.run(command, "--configDir", configDir);
    assert.match(nowhere.output, /HA_OPTION_MISSING[^]*high-availability\.storageDir/);
    write(`high-availability.type: zookeeper\nhigh-availability.storageDir: ${join(cluster.directory, "ha")}\njobmanager.rpc.port: 0\nrest.port: 0\n`);
    const alone = await cluster.run(command, "--configDir", configDir);
    assert.match(alone.output, /HA_OPTION_MISSING[^]*high-availability\.zookeeper\.quorum/);
  }
});

test("start-cluster and stop-cluster", async () => {
  const directory = join(cluster.directory, "started");
  const started = await cluster.run("start-cluster", "--dir", directory, "-t", "2", "-D", "jobmanager.rpc.port=0", "-D", "rest.port=0");
  assert.equal(started.code, 0, started.output);
  const address = /JobManager at (\S+)/.exec(started.output)![1]!;
  const restUrl = /REST API: (\S+)/.exec(started.output)![1]!;
  assert.equal(((await (await fetch(`${restUrl}/v1/overview`)).json()) as { readonly taskmanagers: number }).taskmanagers, 2);
  const again = await cluster.run("start-cluster", "--dir", directory);
  assert.match(again.output, /CLUSTER_RUNNING/);
  const result = await cluster.run("run", "-q", "-m", address, "-p", "2", job("word-count.ts"));
  assert.equal(result.code, 0, result.output);
  assert.match(readFileSync(join(directory, "jobmanager.log"), "utf8"), /FINISHED/);
  const stopped = await cluster.run("stop-cluster", "--dir", directory);
  assert.match(stopped.output, /stopped taskmanager-2, taskmanager-1, jobmanager/);
  const nothing = await cluster.run("stop-cluster", "--dir", directory);
  assert.match(nothing.output, /no cluster runs/);
  const broken = await cluster.run("start-cluster", "--dir", directory, "-D", `jobmanager.rpc.port=${cluster.port}`);
  assert.equal(broken.code, 1);
  assert.match(broken.output, /PROCESS_NOT_STARTED[^]*ADDRESS_IN_USE/);
});

test("standalone-job runs one job and ends with it", async () => {
  const standalone = cluster.spawn(["standalone-job", "-p", "2", "-D", "jobmanager.rpc.port=0", "-D", "rest.port=0", job("word-count.ts"), "a b a", "b"]);
  const listens = /JobManager listens on \S+:(\d+)\n/;
  await until(() => standalone.child.exitCode !== null || listens.test(standalone.output()));
  const port = listens.exec(standalone.output())?.[1];
  const taskManager = cluster.spawn(["taskmanager", "-D", `jobmanager.rpc.port=${port}`, "-D", "taskmanager.numberOfTaskSlots=2"]);
  assert.equal(await standalone.ended, 0, standalone.output());
  assert.deepEqual(standalone.output().split("\n").filter((line) => /^\d> /.test(line)).map((line) => line.slice(3)).sort(), ["a 1", "a 2", "b 1", "b 2"]);
  assert.match(standalone.output(), /after word count/);
  taskManager.child.kill("SIGTERM");
  assert.equal(await taskManager.ended, 0);
});
