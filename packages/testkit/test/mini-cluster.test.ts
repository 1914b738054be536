import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WatermarkStrategy } from "@millrace/core";
import { DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "../src/index.js";

const logged: string[] = [];
const cluster = new MiniCluster({
  config: { "execution.checkpointing.interval": "30 ms", "restart-strategy.exponential-delay.initial-backoff": "1 ms" },
  log: { write: (level, line) => void logged.push(`${level} ${line}`) },
});
before(() => cluster.start());
after(() => cluster.stop());

function counting(env: StreamExecutionEnvironment, count: number) {
  return env.fromSource(new DataGeneratorSource((index: number) => index, count, RateLimiterStrategy.perSecond(2000)), WatermarkStrategy.noWatermarks(), "numbers")
    .keyBy((value) => value % 3).map((value) => value);
}

test("a program's jobs run in the cluster, with its configuration", async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  assert.deepEqual((await env.fromData(1, 2, 3).map((value) => value * 2).executeAndCollect()).sort(), [2, 4, 6]);
});

test("a job that a test fails on demand restarts from its last checkpoint and shows every result once", async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  const results = counting(env, 3000).collectAsync();
  const job = cluster.job(await env.executeAsync("counting"));
  const failing = job.checkpointsCompleted(1).then(() => job.fail(new Error("on demand")));
  const seen: number[] = [];
  for await (const value of results) seen.push(value);
  await failing;
  assert.deepEqual(seen.sort((a, b) => a - b), Array.from({ length: 3000 }, (_, i) => i));
  assert.equal((await job.getMetrics()).restarts, 1);
  assert.equal(job.exceptionHistory[0]!.error.message, "on demand");
});

test("a module runs on worker threads, and fails and restarts there", async () => {
  const job = await cluster.submitModule(new URL("./jobs/numbers.ts", import.meta.url), { parallelism: 2 });
  await job.checkpointsCompleted(1);
  job.fail();
  const { accumulators } = await job.getJobExecutionResult();
  assert.equal((await job.getMetrics()).restarts, 1);
  assert.ok((accumulators["seen"] as number) <= 2000);
  const printed = logged.filter((line) => line.startsWith("print ")).length;
  assert.ok(printed >= 2000, `${printed} lines`);
});

test("between worker threads, records in flight are restored from an unaligned checkpoint", async () => {
  const unaligned = new MiniCluster({
    config: {
      "execution.checkpointing.interval": "20 ms", "execution.checkpointing.unaligned.enabled": true, "restart-strategy.exponential-delay.initial-backoff": "1 ms",
      "taskmanager.network.batch-size": 8, "taskmanager.network.memory.buffers-per-channel": 2,
    },
    log: { write: () => undefined },
  });
  unaligned.start();
  try {
    const job = await unaligned.submitModule(new URL("./jobs/running-sums.ts", import.meta.url), { parallelism: 2 });
    await job.checkpointsCompleted(2);
    job.fail();
    const { accumulators } = await job.getJobExecutionResult();
    assert.equal((await job.getMetrics()).restarts, 1);
    assert.equal(accumulators["greatest"], (999 * 1000) / 2);
  } finally {
    await unaligned.stop();
  }
});

test("stop cancels what still runs", async () => {
  const other = new MiniCluster();
  other.start();
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  counting(env, Number.POSITIVE_INFINITY).print();
  const client = await env.executeAsync();
  await other.stop();
  assert.equal(await client.getJobStatus(), "CANCELED");
});
