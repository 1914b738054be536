import assert from "node:assert/strict";
import { test } from "node:test";
import { WatermarkStrategy } from "@millrace/core";
import { DataGeneratorSource } from "@millrace/datastream";
import { TransactionalSink, VirtualTimeEnvironment } from "@millrace/testkit";

/* A batch job with a sink in its first stage and one in its second: whatever fails, and whenever, each makes its output visible once, and none before the end. */
const config = { "execution.runtime-mode": "BATCH", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 5, "restart-strategy.fixed-delay.delay": 5 };
const numbers = Array.from({ length: 50 }, (_, i) => i);

interface Outcome {
  readonly first: readonly string[];
  readonly second: readonly string[];
  readonly restarts: number;
  readonly committedEarly: number;
}

/** @param visit of `second stage` (a record), and of the two sinks' places */
async function run(visit: (place: string) => void, parallelism = 2): Promise<Outcome> {
  const virtual = new VirtualTimeEnvironment({ config });
  const { env } = virtual;
  env.setParallelism(parallelism);
  const first = new TransactionalSink((place) => visit(`first ${place}`));
  const second = new TransactionalSink((place) => visit(`second ${place}`));
  let committedEarly = 0;
  const source = env.fromSource(new DataGeneratorSource((index: number) => index, numbers.length), WatermarkStrategy.noWatermarks(), "numbers");
  source.map(String).sinkTo(first);
  source.keyBy((value) => value % 3).reduce((a, b) => a + b).map((value) => {
    committedEarly += first.visible.length;
    visit("second stage");
    return String(value);
  }).sinkTo(second);
  const client = await virtual.submit();
  await virtual.time.runUntil(client.getJobExecutionResult());
  const { restarts } = await client.getMetrics();
  return { first: [...first.visible].sort((a, b) => Number(a) - Number(b)), second: [...second.visible].sort(), restarts, committedEarly };
}

const expected = { first: numbers.map(String), second: [0, 1, 2].map((key) => String(numbers.filter((value) => value % 3 === key).reduce((a, b) => a + b))).sort(), committedEarly: 0 };

test("sinks of a batch job commit at its end", async () => {
  assert.deepEqual(await run(() => undefined), { ...expected, restarts: 0 });
});

for (const place of ["second stage", "first write", "second prepareCommit", "first before commit", "first after commit", "second before commit", "second after commit", "second close of the committer"]) {
  test(`a failure at "${place}" doubles nothing`, async () => {
    for (const parallelism of [1, 3]) {
      let left = 2;
      const outcome = await run((visited) => {
        if (visited !== place || left === 0) return;
        left--;
        throw new Error(`fails at ${place}`);
      }, parallelism);
      assert.equal(left, 0);
      assert.deepEqual(outcome, { ...expected, restarts: outcome.restarts });
      assert.ok(outcome.restarts > 0);
    }
  });
}

test("there is no checkpoint on demand in the middle of a batch job", async () => {
  const virtual = new VirtualTimeEnvironment({ config });
  const { env } = virtual;
  env.fromSource(new DataGeneratorSource((index: number) => index, 10), WatermarkStrategy.noWatermarks(), "numbers").discard();
  const client = await virtual.submit();
  await assert.rejects(client.triggerCheckpoint(), { code: "SAVEPOINT_IN_BATCH" });
  await virtual.time.runUntil(client.getJobExecutionResult());
});
