import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ClusterClient } from "@millrace/cluster/process";
import { seededRandom } from "@millrace/testkit";
import type { JobMetrics } from "millrace";
import { committedLines, differenceOf, numberedLines } from "./counted-words.js";
import { LocalCluster, until, type ClusterProcess } from "./processes.js";

/*
 * Invariant: however the TaskManagers of a cluster come and go, and whatever parallelism a job is told to have meanwhile, the files that it commits hold what
 * one task would have written. MILLRACE_CLUSTER_RUNS is the number of seeds; MILLRACE_CLUSTER_SEED runs one seed alone.
 */
const job = fileURLToPath(new URL("./jobs/count-words.ts", import.meta.url));
const ONLY = process.env["MILLRACE_CLUSTER_SEED"];
const RUNS = Number(process.env["MILLRACE_CLUSTER_RUNS"] ?? 2);
const seeds = ONLY === undefined ? Array.from({ length: RUNS }, (_, i) => i + 1) : [Number(ONLY)];
const LINES = 30_000;
const KEYS = 40;

const quick = {
  "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling": "0 ms", "jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout": "0 ms",
  "jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout": "200 ms",
};

class ElasticRun {
  readonly cluster: LocalCluster;
  readonly client: ClusterClient;
  readonly run: ClusterProcess;
  readonly #input: string;
  readonly #output: string;
  #ended = false;

  private constructor(cluster: LocalCluster, client: ClusterClient, define: readonly string[]) {
    this.cluster = cluster;
    this.client = client;
    this.#input = join(cluster.directory, "input.txt");
    this.#output = join(cluster.directory, "output");
    const random = seededRandom(7);
    writeFileSync(this.#input, Array.from({ length: LINES }, (_, i) => `key${Math.floor(random() * KEYS)} ${i}\n`).join(""));
    this.run = cluster.spawn([
      "run", "-m", cluster.address, "-p", "2", "-D", "execution.checkpointing.interval=50 ms", "-D", `execution.checkpointing.dir=${join(cluster.directory, "checkpoints")}`,
      "-D", "restart-strategy.type=fixed-delay", "-D", "restart-strategy.fixed-delay.attempts=30", "-D", "restart-strategy.fixed-delay.delay=10 ms",
      ...define.flatMap((definition) => ["-D", definition]), job, "--input", this.#input, "--output", this.#output,
      "--lines", `${LINES}`, "--slow-from", `${LINES / 2}`, "--slow-until", join(cluster.directory, "done"),
    ]);
    void this.run.ended.then(() => (this.#ended = true));
  }

  static async with(taskManagers: number, clusterConfig: Readonly<Record<string, string>>, define: readonly string[], work: (run: ElasticRun) => Promise<void>): Promise<void> {
    const cluster = await LocalCluster.start(taskManagers, { ...quick, ...clusterConfig });
    let client: ClusterClient | undefined;
    try {
      client = await cluster.client();
      const run = new ElasticRun(cluster, client, define);
      await work(run);
      run.letEnd();
      assert.equal(await run.run.ended, 0, `${run.run.output()}\n${cluster.jobManager.output()}`);
      assert.equal(differenceOf(committedLines(run.#output), numberedLines(run.#input)), "", cluster.jobManager.output());
    } finally {
      client?.close();
      await cluster.stop();
    }
  }

  /** From now on the job may come to its end. */
  letEnd(): void {
    writeFileSync(join(this.cluster.directory, "done"), "");
  }

  /** Resolves once every vertex of the running job is as wide, and it has taken a checkpoint since. */
  async runsAt(parallelism: number): Promise<void> {
    let from: number | undefined;
    await this.untilMetrics(({ status, vertices, checkpointsCompleted }) => {
      if (status !== "RUNNING" || vertices.some((vertex) => vertex.parallelism !== parallelism)) return false;
      from ??= checkpointsCompleted;
      return checkpointsCompleted > from;
    });
  }

  /** Resolves once this holds of the job, which has not ended. */
  async untilMetrics(holds: (metrics: JobMetrics) => boolean): Promise<void> {
    const jobId = await this.jobId();
    await until(async () => {
      if (this.#ended) throw new Error(`the job has ended: too few lines for the test\n${this.run.output()}\n${this.cluster.jobManager.output()}`);
      return holds(await this.client.ask("jobMetrics", { jobId }));
    });
  }

  async jobId(): Promise<string> {
    let jobId: string | undefined;
    await until(async () => (jobId = (await this.client.ask("listJobs", undefined))[0]?.jobId) !== undefined);
    return jobId!;
  }
}

test("a reactive job takes the slots of a TaskManager that is started, goes on without those of one that is killed, and commits everything once", async () => {
  await ElasticRun.with(1, { "scheduler-mode": "reactive" }, [], async (run) => {
    await run.runsAt(1);
    await run.cluster.startTaskManager();
    await run.runsAt(2);
    const victim = run.cluster.taskManagers.shift()!;
    victim.child.kill("SIGKILL");
    await run.runsAt(1);
    const { restarts, rescales, lastRestartDurationMs } = await run.client.ask("jobMetrics", { jobId: await run.jobId() });
    assert.deepEqual([restarts, rescales], [1, 1]);
    assert.ok(lastRestartDurationMs! > 0);
  });
});

test("a job with the adaptive scheduler is rescaled by command and by REST, and says what is not possible", async () => {
  await ElasticRun.with(2, {}, ["jobmanager.scheduler=adaptive"], async (run) => {
    await run.runsAt(2);
    const jobId = await run.jobId();
    const narrower = await run.cluster.run("rescale", jobId.slice(0, 8), "-p", "1", "-m", run.cluster.address);
    assert.equal(narrower.code, 0, narrower.output);
    assert.match(narrower.output, /: 1 to 1, now 2/);
    await run.runsAt(1);
    const url = `${run.cluster.restUrl}/v1/jobs/${jobId}/resource-requirements`;
    const before = (await (await fetch(url)).json()) as Record<string, { parallelism: { lowerBound: number; upperBound: number } }>;
    assert.ok(Object.values(before).every(({ parallelism: { lowerBound, upperBound } }) => lowerBound === 1 && upperBound === 1));
    const put = (body: unknown): Promise<Response> => fetch(url, { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const wider = Object.fromEntries(Object.keys(before).map((vertexId) => [vertexId, { parallelism: { lowerBound: 1, upperBound: 2 } }]));
    assert.equal((await put({ ...wider, [Object.keys(before)[0]!]: { parallelism: { lowerBound: 1, upperBound: 9999 } } })).status, 400);
    assert.equal((await put(wider)).status, 200);
    await run.runsAt(2);
    const rescales = async (what: string): Promise<any> => (await fetch(`${run.cluster.restUrl}/v1/jobs/${jobId}/rescales/${what}`)).json();
    const history = await rescales("history");
    assert.deepEqual(history.map(({ triggerCause, terminatedReason }: any) => `${triggerCause} ${terminatedReason}`), [
      "UPDATE_REQUIREMENT SUCCEEDED", "UPDATE_REQUIREMENT SUCCEEDED", "INITIAL_SCHEDULE SUCCEEDED",
    ]);
    const { vertices } = await rescales(`details/${history[0].rescaleUuid}`);
    assert.ok(Object.values<any>(vertices).every(({ preRescaleParallelism, postRescaleParallelism }) => preRescaleParallelism === 1 && postRescaleParallelism === 2), JSON.stringify(vertices));
    assert.equal((await rescales("overview")).rescalesCounts.completed, 3);
    const unknown = await run.cluster.run("rescale", jobId, "--vertex", "nobody=2", "-m", run.cluster.address);
    assert.equal(unknown.code, 1);
    assert.match(unknown.output, /no vertices have the id or name "nobody"/);
  });
});

test("a job with the default scheduler is not rescaled", async () => {
  await ElasticRun.with(1, { "taskmanager.numberOfTaskSlots": "2" }, [], async (run) => {
    await run.runsAt(2);
    const refused = await run.cluster.run("rescale", await run.jobId(), "-p", "1", "-m", run.cluster.address);
    assert.equal(refused.code, 1);
    assert.match(refused.output, /jobmanager\.scheduler=adaptive/);
  });
});

test("a job in one process is rescaled through its REST API", async () => {
  const cluster = await LocalCluster.start(0);
  try {
    const input = join(cluster.directory, "input.txt");
    writeFileSync(input, Array.from({ length: 10_000 }, (_, i) => `key${i % KEYS} ${i}\n`).join(""));
    const output = join(cluster.directory, "output");
    const run = cluster.spawn([
      "run", "--rest", "-p", "2", "-D", "jobmanager.scheduler=adaptive", "-D", "rest.port=0", "-D", "execution.checkpointing.interval=50 ms",
      "-D", `execution.checkpointing.dir=${join(cluster.directory, "checkpoints")}`, job, "--input", input, "--output", output,
      "--lines", "10000", "--slow-from", "5000", "--slow-until", join(cluster.directory, "done"),
    ]);
    await until(() => /http:\/\/[^/\s]+[/\s]/.test(run.output()));
    const url = /http:\/\/[^/\s]+/.exec(run.output())![0];
    const ask = async (path: string): Promise<any> => (await fetch(`${url}/v1${path}`)).json();
    let jobId = "";
    await until(async () => (jobId = (await ask("/jobs/overview")).jobs.find(({ state }: { state: string }) => state === "RUNNING")?.jid ?? "") !== "");
    const requirements = await ask(`/jobs/${jobId}/resource-requirements`);
    const wider = Object.fromEntries(Object.keys(requirements).map((vertexId) => [vertexId, { parallelism: { lowerBound: 1, upperBound: 3 } }]));
    const put = await fetch(`${url}/v1/jobs/${jobId}/resource-requirements`, { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(wider) });
    assert.equal(put.status, 200);
    await until(async () => (await ask(`/jobs/${jobId}`)).vertices.every(({ parallelism }: { parallelism: number }) => parallelism === 3));
    writeFileSync(join(cluster.directory, "done"), "");
    assert.equal(await run.ended, 0, run.output());
    assert.equal(differenceOf(committedLines(output), numberedLines(input)), "");
  } finally {
    await cluster.stop();
  }
});

for (const seed of seeds) {
  test(`slots come and go, requirements change, and everything is committed once (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    await ElasticRun.with(1, { "taskmanager.numberOfTaskSlots": "2" }, ["jobmanager.scheduler=adaptive"], async (run) => {
      const { cluster, client } = run;
      const jobId = await run.jobId();
      // What comes before it runs would not happen to the job.
      await run.runsAt(2);
      for (let step = 0; step < 5; step++) {
        const choice = random();
        if (choice < 0.4) await client.ask("rescaleJob", { jobId, parallelism: 1 + Math.floor(random() * 4) }).catch(() => undefined);
        else if (choice < 0.7 && cluster.taskManagers.length > 1) cluster.taskManagers.splice(Math.floor(random() * cluster.taskManagers.length), 1)[0]!.child.kill("SIGKILL");
        else if (cluster.taskManagers.length < 3) await cluster.startTaskManager();
        await new Promise((resolve) => setTimeout(resolve, random() * 700));
      }
      // Whoever was killed last leaves its place to somebody.
      if (cluster.taskManagers.length === 0) await cluster.startTaskManager();
      // At the latest this happens to it.
      await client.ask("rescaleJob", { jobId, parallelism: 1 }).catch(() => undefined);
      await run.untilMetrics(({ restarts, rescales }) => restarts + rescales > 0);
    });
  });
}
