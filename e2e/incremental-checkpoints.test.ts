import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment, ValueStateDescriptor, WatermarkStrategy,
  type Collector, type KeyedProcessContext, type KeyedProcessFunction, type RuntimeContext, type ValueState,
} from "millrace";
import { MiniCluster } from "@millrace/testkit";

/*
 * Enough keys that checkpoints are incremental: counts are exact after a failure that is restored from one, and after a restore of one at another parallelism.
 */
const KEYS = 100_000;
const HOT_KEYS = 700;
/** From this record on every key is visited once more, and its count told. */
const READ_FROM = 500_000;
const RECORDS = READ_FROM + KEYS;

const keyOf = (index: number): number => (index < KEYS ? index : index < READ_FROM ? (index * 7919) % HOT_KEYS + (index % 5) * 20_000 : index - READ_FROM);

const directory = mkdtempSync(join(tmpdir(), "millrace-incremental-"));
after(() => rmSync(directory, { recursive: true }));

/** What the job tells the test, which runs in the same thread. */
const counts = new Map<string, number>();
let newest = 0;
let failAt = Number.POSITIVE_INFINITY;
/** The source waits as long as such a record has been counted: the job is not to end before the test has done with it. */
let holdAt = Number.POSITIVE_INFINITY;
const AHEAD = 50_000;

class Count implements KeyedProcessFunction<string, number, string> {
  #count!: ValueState<number>;

  open(context: RuntimeContext): void {
    this.#count = context.getState(new ValueStateDescriptor<number>("count"));
  }
  processElement(index: number, context: KeyedProcessContext<string>, _out: Collector<string>): void {
    newest = Math.max(newest, index);
    if (index >= failAt) {
      failAt = Number.POSITIVE_INFINITY;
      throw new Error("on purpose");
    }
    if (index >= READ_FROM) counts.set(context.currentKey, this.#count.value() ?? 0);
    else this.#count.update((this.#count.value() ?? 0) + 1);
  }
}

function held(strategy: RateLimiterStrategy): RateLimiterStrategy {
  return {
    createRateLimiter(context) {
      const limiter = strategy.createRateLimiter(context);
      return {
        take: (wanted) => (newest < holdAt ? limiter.take(wanted) : 0),
        available: () => (newest < holdAt ? limiter.available() : new Promise((resolve) => void context.clock.setTimer(5, resolve))),
      };
    },
  };
}

async function start(cluster: MiniCluster, perSecond: number) {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  const indexes = new DataGeneratorSource((index) => index, RECORDS, held(RateLimiterStrategy.perSecond(perSecond)));
  // One source, so that all records of a key come in order.
  env.fromSource(indexes, WatermarkStrategy.noWatermarks(), "indexes").uid("indexes").setParallelism(1).keyBy((index) => `k${keyOf(index)}`).process(Count).uid("count").discard();
  return cluster.job(await env.executeAsync());
}

function clusterWith(config: Record<string, unknown>): MiniCluster {
  const cluster = new MiniCluster({
    config: {
      "execution.checkpointing.dir": directory, "execution.checkpointing.interval": "1 h", "restart-strategy.type": "fixed-delay",
      "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION", ...config,
    },
  });
  cluster.start();
  return cluster;
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
};

test("counts are exact after a failure between incremental checkpoints, and when one is restored at another parallelism", async () => {
  const first = clusterWith({ "parallelism.default": 2 });
  holdAt = KEYS + AHEAD;
  let path = "";
  try {
    const job = await start(first, 150_000);
    const ended = job.getJobExecutionResult().then(() => "finished", () => "canceled");
    await until(() => newest > KEYS + 5000);
    for (let i = 0; i < 4; i++) path = await job.triggerCheckpoint();
    const metadata = JSON.parse(readFileSync(join(path, "_metadata"), "utf8")) as { writtenBytes: number; stateBytes: number };
    assert.ok(metadata.writtenBytes < metadata.stateBytes / 3, `${metadata.writtenBytes} of ${metadata.stateBytes} bytes were written: not incremental`);
    const failedAt = newest + 1000;
    failAt = failedAt;
    holdAt = failedAt + AHEAD;
    await until(() => failAt === Number.POSITIVE_INFINITY);
    newest = 0;
    await until(() => newest > failedAt);
    for (let i = 0; i < 3; i++) path = await job.triggerCheckpoint();
    await job.cancel();
    assert.equal(await ended, "canceled");
  } finally {
    await first.stop();
  }
  holdAt = Number.POSITIVE_INFINITY;
  const second = clusterWith({ "parallelism.default": 3, "execution.state-recovery.path": path });
  try {
    await (await start(second, 10_000_000)).getJobExecutionResult();
  } finally {
    await second.stop();
  }
  const expected = new Map<string, number>();
  for (let index = 0; index < READ_FROM; index++) expected.set(`k${keyOf(index)}`, (expected.get(`k${keyOf(index)}`) ?? 0) + 1);
  assert.equal(counts.size, KEYS);
  for (const [key, count] of expected) if (counts.get(key) !== count) assert.fail(`${key} has ${counts.get(key)} instead of ${count}`);
});
