import assert from "node:assert/strict";
import { test } from "node:test";
import { functionFactory, ListStateDescriptor, MAX_WATERMARK, type StateInitializationContext, type OneInputOperator, type OperatorContext, type Output, type TwoInputOperator } from "@millrace/core";
import { arraySink } from "../support/collect-sink.js";
import { GraphBuilder } from "../support/graph-builder.js";
import { listSource } from "../support/list-source.js";
import { TestClock } from "../support/test-clock.js";
import { TestJob } from "../support/test-job.js";

const numbers = Array.from({ length: 200 }, (_, i) => i);

test("user functions hear of complete and aborted checkpoints, and a file that cannot be written declines one", async () => {
  const heard: string[] = [];
  class Listening {
    initializeState(context: StateInitializationContext): void {
      context.operatorState.getListState(new ListStateDescriptor<string>("something")).add("kept");
    }
    snapshotState(): void {}
    map(value: number): number {
      return value;
    }
    notifyCheckpointComplete(checkpointId: number): void {
      heard.push(`complete ${checkpointId}`);
    }
    notifyCheckpointAborted(checkpointId: number): void {
      heard.push(`aborted ${checkpointId}`);
    }
  }
  const builder = new GraphBuilder();
  const source = builder.add(listSource({ splits: [numbers], unbounded: true }));
  const map = builder.add({ type: "map", fn: functionFactory(() => new Listening()) }, [{ from: source }]);
  builder.add(arraySink([]), [{ from: map }]);
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  job.start();
  await job.clock.runUntil(() => job.allIn("RUNNING"));
  await job.checkpoint(1);
  job.files.failWrites = true;
  job.trigger(2);
  await job.clock.runUntil(() => job.events.some((event) => event.type === "declineCheckpoint" && event.checkpointId === 2));
  job.abort(2);
  job.files.failWrites = false;
  await job.checkpoint(3);
  await job.clock.runFor(1);
  assert.deepEqual(heard, ["complete 1", "aborted 2", "complete 3"]);
  await job.cancel();
});

test("an error while opening names the operator", async () => {
  class Failing {
    async open(): Promise<void> {
      await Promise.resolve();
      throw new Error("no connection");
    }
    map(value: number): number {
      return value;
    }
  }
  const builder = new GraphBuilder();
  const source = builder.add(listSource({ splits: [numbers] }));
  const map = builder.add({ type: "map", fn: functionFactory(() => new Failing()) }, [{ from: source }], { name: "lookup" });
  builder.add(arraySink([]), [{ from: map }]);
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  job.start();
  await assert.rejects(job.finish(), (error: { readonly location: { readonly operator: string } }) => error.location.operator === "lookup");
});

/** Sets one timer per key; all of them fire with the last watermark. */
class Timers implements OneInputOperator<number, number> {
  readonly #timers;
  constructor(context: OperatorContext) {
    this.#timers = context.timers("t", {
      onEventTime: (timestampMs, _namespace, out) => out.collect(context.keyedState.currentKey as number, timestampMs),
      onProcessingTime: () => undefined,
    });
  }
  processRecord(): void {
    this.#timers.registerEventTimeTimer("", 5_000);
  }
}

/** Notes what it sees. */
class Notes implements OneInputOperator<number, never> {
  readonly #log: (number | string)[];
  constructor(log: (number | string)[]) {
    this.#log = log;
  }
  processRecord(value: number): void {
    this.#log.push(value);
  }
  processWatermark(timestampMs: number): void {
    if (timestampMs === MAX_WATERMARK) this.#log.push("watermark");
  }
}

test("a watermark that fires many timers is interrupted when the outputs are full, and goes on after all of them", async () => {
  const keys = Array.from({ length: 3000 }, (_, i) => i);
  const log: (number | string)[] = [];
  const builder = new GraphBuilder({ "taskmanager.network.batch-size": 16, "taskmanager.network.memory.buffers-per-channel": 1 });
  const source = builder.add(listSource({ splits: [keys] }));
  const timers = builder.add({ type: "custom", inputs: 1, factory: (context): OneInputOperator<number, number> => new Timers(context) }, [{ from: source, keySelector: (value: number) => value }]);
  builder.add({ type: "custom", inputs: 1, factory: (): OneInputOperator<number, never> => new Notes(log) }, [{ from: timers, partitioner: { kind: "rebalance" } }]);
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph(), clock: new TestClock(0.05) });
  job.start();
  await job.finish();
  assert.equal(log.length, 3001);
  assert.equal(log.at(-1), "watermark");
  assert.deepEqual(log.slice(0, -1).sort((a, b) => Number(a) - Number(b)), keys);
});

/** Notes both inputs, their combined watermark and their ends. */
class Both implements TwoInputOperator<number, string, never> {
  readonly #log: string[];
  constructor(log: string[]) {
    this.#log = log;
  }
  processRecord1(value: number): void {
    this.#log.push(`left ${value}`);
  }
  processRecord2(value: string): void {
    this.#log.push(`right ${value}`);
  }
  endInput(index: number): void {
    this.#log.push(`end ${index}`);
  }
  finish(_out: Output<never>): void {
    this.#log.push("finish");
  }
}

test("two inputs end one by one, and the operator finishes after both", async () => {
  const log: string[] = [];
  const builder = new GraphBuilder();
  const left = builder.add(listSource({ splits: [[1, 2]] }));
  const right = builder.add(listSource({ splits: [["a"]] }));
  builder.add({ type: "custom", inputs: 2, factory: () => new Both(log) as never }, [{ from: left }, { from: right }]);
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  job.start();
  await job.finish();
  assert.deepEqual([...log].sort(), ["end 0", "end 1", "finish", "left 1", "left 2", "right a"]);
  assert.equal(log.at(-1), "finish");
  assert.ok(log.indexOf("left 2") < log.indexOf("end 0") && log.indexOf("right a") < log.indexOf("end 1"));
});

test("a job runs in batch mode over blocking exchanges", async () => {
  const out: number[] = [];
  const builder = new GraphBuilder({ "execution.runtime-mode": "BATCH", "taskmanager.network.batch-size": 8 });
  const source = builder.add(listSource({ splits: [numbers, numbers] }), [], { parallelism: 2 });
  const map = builder.add({ type: "map", fn: (value: number) => value * 2 }, [{ from: source, partitioner: { kind: "rebalance" } }], { parallelism: 3 });
  builder.add(arraySink(out), [{ from: map, partitioner: { kind: "global" } }]);
  const jobGraph = builder.jobGraph();
  assert.ok(jobGraph.edges.some((edge) => edge.exchange === "blocking"));
  for (const slots of [1, 2]) {
    out.length = 0;
    const job = new TestJob({ graph: builder.graph, jobGraph, slots });
    job.start();
    await job.finish();
    assert.deepEqual(out.sort((a, b) => a - b), [...numbers, ...numbers].map((value) => value * 2).sort((a, b) => a - b));
  }
});

test("an idle job does nothing but report its metrics", async () => {
  const builder = new GraphBuilder({ "pipeline.auto-watermark-interval": 0 });
  const source = builder.add(listSource({ splits: [numbers], unbounded: true }));
  builder.add(arraySink([]), [{ from: source, partitioner: { kind: "rebalance" } }]);
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  job.start();
  await job.clock.runFor(100);
  assert.ok(job.clock.idle);
  assert.equal(job.clock.pendingTimers, 1);
  await job.cancel();
});
