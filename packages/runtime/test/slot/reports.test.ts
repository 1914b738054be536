import assert from "node:assert/strict";
import { test } from "node:test";
import { functionFactory, SumCounter, type Counter, type RuntimeContext } from "@millrace/core";
import type { StreamGraph } from "@millrace/graph";
import { currentTaskLabel } from "../../src/index.js";
import { arraySink } from "../support/collect-sink.js";
import { GraphBuilder } from "../support/graph-builder.js";
import { listSource } from "../support/list-source.js";
import { TestJob } from "../support/test-job.js";

const numbers = Array.from({ length: 100 }, (_, i) => i);

test("metrics under Flink's names, user metrics, accumulators and task labels", async () => {
  const labels = new Set<string | undefined>();
  class Counting {
    #counter!: Counter;
    readonly #sum = new SumCounter();
    open(context: RuntimeContext): void {
      this.#counter = context.metrics.addGroup("mine").counter("seen");
      context.addAccumulator("sum", this.#sum);
    }
    map(value: number): number {
      labels.add(currentTaskLabel());
      this.#counter.inc();
      this.#sum.add(value);
      return value;
    }
  }
  const builder = new GraphBuilder();
  const source = builder.add(listSource({ splits: [numbers], timestampOf: (value: number) => value }), [], { name: "numbers" });
  const even = builder.add({ type: "filter", fn: (value: number) => value % 2 === 0 }, [{ from: source, partitioner: { kind: "rebalance" } }], { name: "even" });
  const counting = builder.add({ type: "map", fn: functionFactory(() => new Counting()) }, [{ from: even }], { name: "counting" });
  builder.add(arraySink([]), [{ from: counting }], { name: "out" });
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  job.start();
  await job.finish();
  assert.equal(currentTaskLabel(), undefined);
  assert.deepEqual([...labels], [`${job.jobGraph.vertices[1]!.name} (1/1)`]);
  const last = job.events.findLast((event) => event.type === "metrics" && event.attempt.vertexId === job.jobGraph.vertices[1]!.id);
  assert.ok(last?.type === "metrics");
  const { values } = last;
  assert.equal(values["numRecordsIn"], 100);
  assert.equal(values["even.numRecordsOut"], 50);
  assert.equal(values["counting.numRecordsIn"], 50);
  assert.equal(values["counting.mine.seen"], 50);
  assert.equal(values["currentInputWatermark"], Number.MAX_SAFE_INTEGER);
  assert.equal(values["numLateRecordsDropped"], 0);
  for (const name of ["busyTimeMsPerSecond", "idleTimeMsPerSecond", "backPressuredTimeMsPerSecond", "checkpointAlignmentTime", "numRecordsInPerSecond", "currentOutputWatermark"]) {
    assert.equal(typeof values[name], "number", name);
  }
  const accumulators = job.events.findLast((event) => event.type === "accumulators");
  assert.ok(accumulators?.type === "accumulators");
  assert.deepEqual(accumulators.values, { sum: { kind: "sum", value: 2450 } });
});

test("a job that is cancelled while its graph loads reports its tasks as cancelled", async () => {
  const builder = new GraphBuilder();
  const source = builder.add(listSource({ splits: [numbers] }));
  builder.add(arraySink([]), [{ from: source }]);
  let load: (graph: StreamGraph) => void = () => undefined;
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph(), executor: { loadGraph: () => new Promise((resolve) => (load = resolve)) } });
  job.start();
  await job.clock.runRounds(3);
  const cancelled = job.cancel().catch((error: unknown) => error);
  load(builder.graph);
  await cancelled;
  await job.clock.runUntil(() => job.allIn("CANCELED"));
});

test("a graph that does not load fails the slot", async () => {
  const builder = new GraphBuilder();
  const source = builder.add(listSource({ splits: [numbers] }));
  builder.add(arraySink([]), [{ from: source }]);
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph(), executor: { loadGraph: async () => Promise.reject(new Error("no such module")) } });
  job.start();
  await assert.rejects(job.finish(), /no such module/);
});
