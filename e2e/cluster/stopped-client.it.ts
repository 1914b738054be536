import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ClusterClient } from "@millrace/cluster/process";
import { LocalCluster, until, type ClusterProcess } from "./processes.js";

/*
 * Invariant: a client that collects a job's results and is stopped holds up its own job and nothing else; the JobManager does not keep what it does not take;
 * and when it goes on, it gets every result once and in order.
 */
const collects = fileURLToPath(new URL("./jobs/collects.ts", import.meta.url));
const other = fileURLToPath(new URL("../../packages/cli/test/jobs/collect.ts", import.meta.url));
const RECORDS = 30_000;
const RECORD_BYTES = 4096;
const HELD_BYTES = 4 * 1024 ** 2;
/** What memory may grow by besides, for a process that collects garbage when it likes. All results are more than that. */
const SLACK_BYTES = 100 * 1024 ** 2;

function residentBytes({ child }: ClusterProcess): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]) * 1024;
}

interface StoppedClient {
  readonly cluster: LocalCluster;
  readonly client: ClusterClient;
  readonly run: ClusterProcess;
  readonly jobId: string;
  /** From now on the source is as fast as it can be. */
  readonly hurry: () => void;
}

/** Nobody is given up because the machine is slow. */
const patient = { "heartbeat.timeout": "10 min" };

/** A cluster with slots to spare, and an attached client that collects; it is stopped when it has a result, or when its job runs. */
async function withClient(
  { define = {}, options = [], stopWhen }: { define?: Record<string, string>; options?: readonly string[]; stopWhen: "collecting" | "running" }, body: (stopped: StoppedClient) => Promise<void>,
): Promise<void> {
  const cluster = await LocalCluster.start(1, { "taskmanager.numberOfTaskSlots": "4", "jobmanager.memory.held-results.size": `${HELD_BYTES}b`, ...define });
  let client: ClusterClient | undefined;
  try {
    client = await cluster.client();
    const [began, hurry] = [join(cluster.directory, "began"), join(cluster.directory, "hurry")];
    const run = cluster.spawn([
      "run", "-m", cluster.address, "-p", "1", ...options, collects, "--records", String(RECORDS), "--began", began, ...(stopWhen === "running" ? ["--batch"] : ["--hurry", hurry]),
    ]);
    let ended = false;
    void run.ended.then(() => (ended = true));
    const seen = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
      await until(async () => {
        if (ended) throw new Error(`the client ended too early:\n${run.output()}\n${cluster.jobManager.output()}`);
        return condition();
      });
    };
    await seen(async () => (await client!.ask("listJobs", undefined))[0]?.status === "RUNNING");
    const { jobId } = (await client.ask("listJobs", undefined))[0]!;
    if (stopWhen === "collecting") await seen(() => existsSync(began));
    run.child.kill("SIGSTOP");
    await body({ cluster, client, run, jobId, hurry: () => writeFileSync(hurry, "") });
  } finally {
    client?.close();
    await cluster.stop();
  }
}

/** Another job on the same cluster, from submission to its end. */
async function runAnother(cluster: LocalCluster): Promise<void> {
  const { code, output } = await cluster.run("run", "-m", cluster.address, "-p", "1", other);
  assert.equal(code, 0, output);
}

function heldFiles(cluster: LocalCluster): number {
  return readdirSync(cluster.directory, { recursive: true, encoding: "utf8" }).filter((path) => path.includes("held-results-")).length;
}

async function goesOn({ run, hurry }: StoppedClient): Promise<void> {
  hurry();
  run.child.kill("SIGCONT");
  assert.equal(await run.ended, 0, run.output());
  assert.match(run.output(), new RegExp(`collected ${RECORDS}: 0 missing, 0 repeated, in order`));
}

test("a client that is stopped while it collects holds up its streaming job, and nothing else; it gets everything once when it goes on", { skip: process.platform !== "linux" }, async () => {
  await withClient({ stopWhen: "collecting", define: patient, options: ["-D", "execution.checkpointing.interval=200 ms", "-D", "pipeline.operator-chaining.enabled=false"] }, async (stopped) => {
    const { cluster, client, jobId } = stopped;
    const before = residentBytes(cluster.jobManager);
    const emitted = async (): Promise<number> => (await client.ask("jobMetrics", { jobId })).vertices[0]!.subtasks[0]!["numRecordsOut"] ?? 0;
    let last = -1;
    for (let still = 0; still < 4; ) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const now = await emitted();
      still = now > 0 && now === last ? still + 1 : 0;
      last = now;
    }
    assert.ok(last < RECORDS, "the source is held up, too");
    await runAnother(cluster);
    assert.equal(await client.ask("jobStatus", { jobId }), "RUNNING");
    const grown = residentBytes(cluster.jobManager) - before;
    assert.ok(grown < SLACK_BYTES, `the JobManager grew by ${grown} bytes`);
    await goesOn(stopped);
    assert.equal(heldFiles(cluster), 0);
  });
});

test("results of a batch job that is restarted when it fails wait in files; its slots are given back while a stopped client has yet to take them", { skip: process.platform !== "linux" }, async () => {
  const restarts = ["-D", "restart-strategy.type=fixed-delay", "-D", "restart-strategy.fixed-delay.attempts=3"];
  await withClient({ stopWhen: "running", define: patient, options: restarts }, async (stopped) => {
    const { cluster, client, jobId } = stopped;
    const before = residentBytes(cluster.jobManager);
    await until(async () => (await client.ask("overview", undefined)).taskManagers.every(({ freeSlots }) => freeSlots === 4));
    assert.equal(await client.ask("jobStatus", { jobId }), "RUNNING");
    assert.equal(heldFiles(cluster), 1);
    const grown = residentBytes(cluster.jobManager) - before;
    assert.ok(grown < SLACK_BYTES && RECORDS * RECORD_BYTES > SLACK_BYTES, `the JobManager grew by ${grown} bytes`);
    await runAnother(cluster);
    await goesOn(stopped);
    await until(() => heldFiles(cluster) === 0);
  });
});

test("results that find no room in the JobManager's files end their job with a code that says whose they are, and no other", async () => {
  const cluster = await LocalCluster.start(1, {
    "taskmanager.numberOfTaskSlots": "2", "jobmanager.memory.held-results.total-size": "1mb", "jobmanager.disk.held-results.total-size": "8mb",
  });
  try {
    const restarts = ["-D", "restart-strategy.type=fixed-delay", "-D", "restart-strategy.fixed-delay.attempts=3"];
    const { code, output } = await cluster.run("run", "-m", cluster.address, "-p", "1", ...restarts, collects, "--records", String(RECORDS), "--began", join(cluster.directory, "began"), "--batch");
    assert.notEqual(code, 0);
    assert.match(output, /RESULTS_TOO_LARGE/);
    assert.match(output, /job "collects" \([0-9a-f]{32}\) collects more than there is room for: \d+ bytes more would go beyond the 8388608 bytes of jobmanager\.disk\.held-results\.total-size/);
    await until(() => heldFiles(cluster) === 0);
    await runAnother(cluster);
  } finally {
    await cluster.stop();
  }
});

for (const [name, options, end] of [["goes on without it", [], "FINISHED"], ["is cancelled when it was to end with it", ["--shutdown-on-attached-exit"], "CANCELED"]] as const) {
  test(`a client that never goes on is given up: its job ${name}`, { skip: process.platform !== "linux" }, async () => {
    const define = { "heartbeat.interval": "1 s", "heartbeat.timeout": "6 s" };
    await withClient({ stopWhen: "collecting", define, options: ["-D", "execution.checkpointing.interval=200 ms", ...options] }, async ({ client, jobId, hurry }) => {
      hurry();
      await until(async () => (await client.ask("jobStatus", { jobId })) === end);
    });
  });
  test(`a client that is killed: its job ${name}`, async () => {
    await withClient({ stopWhen: "collecting", options: ["-D", "execution.checkpointing.interval=200 ms", ...options] }, async ({ cluster, client, jobId, run, hurry }) => {
      run.child.kill("SIGKILL");
      hurry();
      await until(async () => (await client.ask("jobStatus", { jobId })) === end);
      assert.equal(heldFiles(cluster), 0);
    });
  });
}
