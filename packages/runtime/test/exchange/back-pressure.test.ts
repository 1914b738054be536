import assert from "node:assert/strict";
import { test } from "node:test";
import { GraphBuilder } from "../support/graph-builder.js";
import { listSource } from "../support/list-source.js";
import { TestJob } from "../support/test-job.js";

const RECORDS = 20_000;
const BATCH = 64;
const CREDITS = 2;

for (const slots of [1, 2]) {
  test(`a slow sink holds the source back within the bounds of its channels, ${slots} slots`, async () => {
    let produced = 0;
    let consumed = 0;
    let widest = 0;
    const builder = new GraphBuilder({ "taskmanager.network.batch-size": BATCH, "taskmanager.network.memory.buffers-per-channel": CREDITS });
    const source = builder.add(listSource({ splits: [Array.from({ length: RECORDS }, (_, i) => i)], chunk: () => 1000 }));
    const count = builder.add({ type: "map", fn: (value: number) => {
      produced++;
      return value;
    } }, [{ from: source }]);
    const writer = {
      write: () => {
        widest = Math.max(widest, produced - consumed);
        return ++consumed % 50 === 0 ? new Promise<void>((resolve) => void job.clock.setTimer(5, resolve)) : undefined;
      },
      flush: () => undefined,
      close: () => undefined,
    };
    // Subtask 1 of the sink is in the other slot.
    builder.add({ type: "sink", sink: { createWriter: () => writer } as never }, [{ from: count, partitioner: { kind: "rebalance" } }], { parallelism: 2 });
    const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph(), slots });
    job.start();
    await job.finish();
    assert.equal(consumed, RECORDS);
    const largestPoll = 4096;
    const floating = 8;
    const perChannel = BATCH * (CREDITS + floating + 3);
    assert.ok(widest <= 2 * perChannel + 2 * largestPoll, `${widest} records were on the way`);
    const backPressured = job.events.flatMap((event) => (event.type === "metrics" ? [event.values["backPressuredTimeMsPerSecond"] ?? 0] : []));
    assert.ok(Math.max(...backPressured) > 500, "the source's task says so");
  });
}

test("an operator that emits far more than it takes overflows into counted buffers and loses nothing", async () => {
  const builder = new GraphBuilder({ "taskmanager.network.batch-size": 16, "taskmanager.network.memory.buffers-per-channel": 1 });
  const source = builder.add(listSource({ splits: [[1, 2, 3]] }));
  const flood = builder.add({ type: "flatMap", fn: (value: number, out: { collect(value: number): void }) => {
    for (let i = 0; i < 5000; i++) out.collect(value * 10_000 + i);
  } }, [{ from: source }]);
  const out: number[] = [];
  const sink = { createWriter: () => ({ write: (value: number) => void out.push(value), flush: () => undefined, close: () => undefined }) };
  builder.add({ type: "sink", sink: sink as never }, [{ from: flood, partitioner: { kind: "rebalance" } }], { parallelism: 2 });
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph(), slots: 2 });
  job.start();
  await job.finish();
  assert.equal(new Set(out).size, 15_000);
});
