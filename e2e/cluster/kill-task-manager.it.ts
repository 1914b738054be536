import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { seededRandom } from "@millrace/testkit";
import { committedLines, differenceOf, numberedLines } from "./counted-words.js";
import { LocalCluster, kill, slotProcesses, until } from "./processes.js";

/*
 * Invariant: whichever TaskManager is killed, or hangs and comes back, and whenever, the files that a job commits hold what they hold without a failure.
 * MILLRACE_CLUSTER_RUNS is the number of seeds; MILLRACE_CLUSTER_SEED runs one seed alone.
 */
const job = fileURLToPath(new URL("./jobs/count-words.ts", import.meta.url));
const ONLY = process.env["MILLRACE_CLUSTER_SEED"];
const RUNS = Number(process.env["MILLRACE_CLUSTER_RUNS"] ?? 4);
const seeds = ONLY === undefined ? Array.from({ length: RUNS }, (_, i) => i + 1) : [Number(ONLY)];
const LINES = 12_000;
const KEYS = 40;

for (const seed of seeds) {
  const killed = async (cluster: LocalCluster, random: () => number): Promise<void> => {
    const [victim] = cluster.taskManagers.splice(Math.floor(random() * cluster.taskManagers.length), 1);
    victim!.child.kill("SIGKILL");
    await victim!.ended;
    if (random() < 0.5 || cluster.taskManagers.length === 1) await cluster.startTaskManager();
  };
  const unaligned = seed % 2 === 0;
  test(`a job whose TaskManagers are killed commits everything once${unaligned ? ", with unaligned checkpoints" : ""} (seed ${seed})`, () =>
    check(seed, {}, killed, unaligned ? ["-D", "execution.checkpointing.unaligned.enabled=true"] : []));
}

for (const seed of seeds.slice(0, Math.ceil(seeds.length / 2))) {
  const heartbeats = { "heartbeat.interval": "100 ms", "heartbeat.timeout": "1 s" };
  test(`a job whose TaskManagers hang and come back commits everything once (seed ${seed})`, () => check(seed, heartbeats, async (cluster, random) => {
    const victim = cluster.taskManagers[Math.floor(random() * cluster.taskManagers.length)]!;
    const lostBefore = cluster.jobManager.output().split("was lost").length;
    victim.child.kill("SIGSTOP");
    await until(() => cluster.jobManager.output().split("was lost").length > lostBefore);
    // The job goes on elsewhere, or waits, while the old attempt wakes up.
    await new Promise((resolve) => setTimeout(resolve, random() * 300));
    victim.child.kill("SIGCONT");
  }));
}

for (const seed of existsSync("/proc/self") ? seeds.slice(0, Math.ceil(seeds.length / 2)) : []) {
  test(`a job whose slots are processes that are killed commits everything once (seed ${seed})`, () => check(seed, { "slot.isolation": "process" }, async (cluster, random) => {
    const { pid } = cluster.taskManagers[Math.floor(random() * cluster.taskManagers.length)]!.child;
    await until(() => slotProcesses(pid!).length > 0);
    for (const slot of slotProcesses(pid!)) kill(slot);
  }));
}

/** Runs the job of a seed, with one or two of these faults, and compares what it commits. */
async function check(seed: number, define: Readonly<Record<string, string>>, fault: (cluster: LocalCluster, random: () => number) => Promise<void>, options: readonly string[] = []): Promise<void> {
  const random = seededRandom(seed);
  const cluster = await LocalCluster.start(2, { "taskmanager.numberOfTaskSlots": "2", "cluster.evenly-spread-out-slots": "true", ...define });
  try {
    const input = join(cluster.directory, "input.txt");
    writeFileSync(input, Array.from({ length: LINES }, (_, i) => `key${Math.floor(random() * KEYS)} ${i}\n`).join(""));
    const output = join(cluster.directory, "output");
    const run = cluster.spawn([
      "run", "-m", cluster.address, "-p", "2", "-D", "execution.checkpointing.interval=50 ms", "-D", `execution.checkpointing.dir=${join(cluster.directory, "checkpoints")}`,
      "-D", "restart-strategy.type=fixed-delay", "-D", "restart-strategy.fixed-delay.attempts=1000", "-D", "restart-strategy.fixed-delay.delay=10 ms", ...options, job, "--input", input, "--output", output,
      "--lines", `${LINES}`, "--slow-from", `${LINES / 2}`, "--slow-until", join(cluster.directory, "harmed"),
    ]);
    const faults = 1 + Math.floor(random() * 2);
    for (let i = 0; i < faults; i++) {
      await checkpointsLater(cluster, 1 + Math.floor(random() * 4), run.ended);
      await fault(cluster, random);
    }
    await restarted(cluster, run.ended);
    writeFileSync(join(cluster.directory, "harmed"), "");
    assert.equal(await run.ended, 0, `${run.output()}\n${cluster.jobManager.output()}`);
    assert.match(run.output(), /[1-9]\d* restarts?/, "no fault hit the job while it ran");
    assert.equal(differenceOf(committedLines(output), numberedLines(input)), "", `${cluster.jobManager.output()}\n${readdirSync(output).join("\n")}`);
  } finally {
    await cluster.stop();
  }
}

/** Waits until the job has noticed, unless it ends before. */
async function restarted(cluster: LocalCluster, ended: Promise<unknown>): Promise<void> {
  const client = await cluster.client();
  let over = false;
  void ended.then(() => (over = true));
  await until(async () => {
    if (over) return true;
    const [running] = await client.ask("listJobs", undefined);
    return running !== undefined && (await client.ask("jobMetrics", { jobId: running.jobId })).restarts > 0;
  });
  client.close();
}

/** Waits until the job has completed so many more checkpoints, unless it ends before. */
async function checkpointsLater(cluster: LocalCluster, count: number, ended: Promise<unknown>): Promise<void> {
  const client = await cluster.client();
  let over = false;
  void ended.then(() => (over = true));
  let first: number | undefined;
  await until(async () => {
    if (over) return true;
    const [running] = await client.ask("listJobs", undefined);
    if (running?.status !== "RUNNING") return false;
    const { checkpointsCompleted } = await client.ask("jobMetrics", { jobId: running.jobId });
    first ??= checkpointsCompleted;
    return checkpointsCompleted >= first + count;
  });
  client.close();
}
