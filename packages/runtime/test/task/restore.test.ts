import assert from "node:assert/strict";
import { test } from "node:test";
import { arraySink } from "../support/collect-sink.js";
import { GraphBuilder } from "../support/graph-builder.js";
import { listSource } from "../support/list-source.js";
import { MemoryFiles } from "../support/memory-files.js";
import { TestClock } from "../support/test-clock.js";
import { TestJob } from "../support/test-job.js";

interface Sum {
  readonly key: number;
  readonly sum: number;
}
const RECORDS = 2000;
const numbers = Array.from({ length: RECORDS }, (_, i) => i);

function build(parallelism: number, out: Sum[]): GraphBuilder {
  const builder = new GraphBuilder({ "pipeline.max-parallelism": 128 });
  const source = builder.add(listSource({ splits: [0, 1, 2, 3, 4].map((part) => numbers.filter((n) => n % 5 === part)), chunk: () => 10 }), [], { parallelism });
  const map = builder.add({ type: "map", fn: (value: number): Sum => ({ key: value % 17, sum: value }) }, [{ from: source }], { parallelism });
  const reduce = builder.add(
    { type: "keyedReduce", fn: (a: Sum, b: Sum) => ({ key: a.key, sum: a.sum + b.sum }) }, [{ from: map, keySelector: (value: Sum) => value.key }], { parallelism });
  builder.add(arraySink(out), [{ from: reduce, partitioner: { kind: "rebalance" } }]);
  return builder;
}

function largest(out: readonly Sum[]): number[] {
  const sums = Array.from({ length: 17 }, () => 0);
  for (const { key, sum } of out) sums[key] = Math.max(sums[key]!, sum);
  return sums;
}
const expected = Array.from({ length: 17 }, (_, key) => numbers.filter((n) => n % 17 === key).reduce((a, b) => a + b, 0));

for (const [before, after] of [[2, 3], [3, 1], [1, 4], [2, 2]] as const) {
  test(`a job checkpointed with parallelism ${before} goes on with ${after}`, async () => {
    const files = new MemoryFiles();
    const out: Sum[] = [];
    const first = build(before, out);
    const job = new TestJob({ graph: first.graph, jobGraph: first.jobGraph(), files, slots: 2, clock: new TestClock(0.2) });
    job.start();
    await job.clock.runUntil(() => job.allIn("RUNNING", "FINISHED") && out.length > 50);
    const checkpoint = await job.checkpoint(1);
    await job.cancel();
    const second = build(after, out);
    const resumed = new TestJob({ graph: second.graph, jobGraph: second.jobGraph(), files, slots: 2 });
    resumed.start(checkpoint);
    await resumed.finish();
    assert.deepEqual(largest(out), expected);
  });
}

test("tasks that had finished before the checkpoint pass the end on, and their operators do not run again", async () => {
  const out: Sum[] = [];
  const builder = build(1, out);
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  job.start({ id: 1, tasks: new Map(), coordinators: new Map(), finished: new Set(job.jobGraph.vertices.slice(0, 1).map(({ id }) => id)) });
  await job.finish();
  assert.deepEqual(out, []);
});
