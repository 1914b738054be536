import assert from "node:assert/strict";
import { test } from "node:test";
import { ChunkSize } from "../../src/task/chunk-size.js";
import { GraphBuilder } from "../support/graph-builder.js";
import { listSource } from "../support/list-source.js";
import { TestJob } from "../support/test-job.js";

test("a task between two busy ones sends full buffers", async () => {
  const records = 20_000;
  const batch = 100;
  const targets = 16;
  const builder = new GraphBuilder({ "taskmanager.network.batch-size": batch });
  const source = builder.add(listSource({ splits: [Array.from({ length: records }, (_, i) => i)], chunk: () => 500 }));
  const middle = builder.add({ type: "map", fn: (value: number) => value + 1 }, [{ from: source, partitioner: { kind: "rebalance" } }]);
  let consumed = 0;
  const writer = { write: () => void consumed++, flush: () => undefined, close: () => undefined };
  builder.add({ type: "sink", sink: { createWriter: () => writer } as never }, [{ from: middle, partitioner: { kind: "rebalance" } }], { parallelism: targets });
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  job.start();
  await job.finish();
  assert.equal(consumed, records);
  const middleId = builder.jobGraph().vertices[1]!.id;
  const buffers = Math.max(...job.events.flatMap((event) =>
    event.type === "metrics" && event.attempt.vertexId === middleId ? [event.values["numBuffersOut"] ?? 0] : []));
  // What it takes at a time is a small part of a buffer for each of its targets: flushed each time, there would be several times as many buffers.
  assert.ok(buffers > 0 && buffers < (1.5 * records) / batch, `${buffers} buffers`);
});

test("the clock is asked once in several short steps, and more often when they turn out to be slow", () => {
  const chunk = new ChunkSize();
  const asked = (steps: number, msEach: number): number => {
    let times = 0;
    chunk.start(0);
    for (let i = 1; i <= steps; i++) {
      if (!chunk.step(1)) continue;
      times++;
      chunk.finish(i * msEach);
    }
    return times;
  };
  assert.equal(asked(160, 0), 10);
  asked(160, 2);
  assert.equal(chunk.records, 1);
  assert.equal(asked(10, 2), 10);
});
