import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_WATERMARK, OutputTag, WatermarkStrategy, type OneInputOperator, type Operator, type ReaderOutput } from "@millrace/core";
import { arraySink } from "../support/collect-sink.js";
import { GraphBuilder } from "../support/graph-builder.js";
import { listSource } from "../support/list-source.js";
import { TestJob } from "../support/test-job.js";

/** Records what passes, in order. */
class Recorder implements OneInputOperator<unknown, never> {
  readonly #log: (string | number)[];
  constructor(log: (string | number)[]) {
    this.#log = log;
  }
  processRecord(value: unknown): void {
    this.#log.push(String(value));
  }
  processWatermark(timestampMs: number): void {
    this.#log.push(timestampMs === MAX_WATERMARK ? "end" : timestampMs);
  }
  processStatus(idle: boolean): void {
    this.#log.push(idle ? "idle" : "active");
  }
}

/** A reader driven by the test. */
class Script {
  readonly steps: ((output: ReaderOutput<any>) => void)[] = [];
  readonly paused: string[][] = [];
  /** Calls that belong to checkpoints, in order. */
  readonly calls: string[] = [];
  ended = false;
  #wake: () => void = () => undefined;

  push(step: (output: ReaderOutput<any>) => void): void {
    this.steps.push(step);
    this.#wake();
  }
  end(): void {
    this.ended = true;
    this.#wake();
  }
  readonly source = {
    boundedness: "continuous-unbounded" as const,
    createEnumerator: () => ({ start: () => undefined, addReader: () => undefined, addSplitsBack: () => undefined, snapshotState: () => 0 }),
    createReader: () => ({
      start: () => undefined,
      addSplits: (splits: readonly { splitId: string }[]) => void this.calls.push(...splits.map(({ splitId }) => `split ${splitId}`)),
      notifyNoMoreSplits: () => undefined,
      snapshotState: (checkpointId: number) => {
        this.calls.push(`snapshot ${checkpointId}`);
        return [];
      },
      close: () => undefined,
      pauseOrResumeSplits: (pause: readonly string[], resume: readonly string[]) => void this.paused.push([...pause.map((id) => `-${id}`), ...resume.map((id) => `+${id}`)]),
      available: () => new Promise<void>((resolve) => (this.#wake = resolve)),
      pollNext: (output: ReaderOutput<any>) => {
        const step = this.steps.shift();
        if (step === undefined) return this.ended ? "end-of-input" as const : "nothing-available" as const;
        step(output);
        return "more-available" as const;
      },
    }),
  };
}

async function scripted(watermarks: WatermarkStrategy<any>, config: Record<string, unknown> = {}) {
  const script = new Script();
  const log: (string | number)[] = [];
  const builder = new GraphBuilder(config);
  const source = builder.add({ type: "source", source: script.source as never, watermarks });
  builder.add({ type: "custom", inputs: 1, factory: (): Operator => new Recorder(log) }, [{ from: source }]);
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  job.start();
  await job.clock.runUntil(() => job.allIn("RUNNING"));
  return { script, log, job };
}

for (const options of [{}, { stop: "suspend" }, { stop: "drain" }] as const) test(`a split that comes after the trigger of a checkpoint is not in it: its coordinator still has it there ${JSON.stringify(options)}`, async () => {
  const { script, job } = await scripted(WatermarkStrategy.noWatermarks());
  const [vertex] = job.jobGraph.vertices;
  const [slot] = job.executors;
  const assign = (splitId: string): void => slot!.handle({
    type: "operatorEvent", epoch: 1, operatorId: vertex!.operators[0]!.id, subtaskIndex: 0,
    event: { kind: "assignSplits", splits: [new TextEncoder().encode(JSON.stringify({ splitId }))] },
  });
  assign("before");
  slot!.handle({ type: "triggerCheckpoint", epoch: 1, checkpointId: 1, timestampMs: 0, tasks: [{ vertexId: vertex!.id, subtaskIndex: 0, attemptNumber: 0 }], options });
  assign("after");
  await job.clock.runFor(50);
  assert.deepEqual(script.calls.slice(0, 2), ["split before", "snapshot 1"]);
  if ("stop" in options) return;
  assert.deepEqual(script.calls, ["split before", "snapshot 1", "split after"]);
  script.end();
  await job.finish();
});

test("periodic watermarks follow the largest time stamp, and the end comes last", async () => {
  const { script, log, job } = await scripted(WatermarkStrategy.forBoundedOutOfOrderness(10));
  script.push((out) => [100, 90, 120].forEach((ms) => out.collect(ms, ms)));
  await job.clock.runFor(250);
  script.push((out) => out.collect(110, 110));
  script.end();
  await job.finish();
  assert.deepEqual(log, ["100", "90", "120", 109, "110", "end"]);
});

for (const compiled of [true, false]) {
  test(`records made by index come in order, among others, ${compiled ? "from compiled chains" : "on the reference path"}`, async () => {
    const { script, log, job } = await scripted(WatermarkStrategy.noWatermarks(), { "pipeline.chain-compiler.enabled": compiled });
    const made: number[] = [];
    const generate = (index: number): string => `r${made[made.push(index) - 1]}`;
    script.push((out) => {
      out.collect("first");
      out.collectGenerated(generate, 5, 3);
      out.collectGenerated(generate, 9, 0);
      out.collect("between");
      out.forSplit("other").collectGenerated(generate, 2 ** 31, 2);
    });
    script.end();
    await job.finish();
    assert.deepEqual(log, ["first", "r5", "r6", "r7", "between", "r2147483648", "r2147483649", "end"]);
    assert.deepEqual(made, [5, 6, 7, 2 ** 31, 2 ** 31 + 1]);
  });
}

test("records made by index get time stamps and watermarks from the strategy", async () => {
  const strategy = WatermarkStrategy.forMonotonousTimestamps<number>().withTimestampAssigner((value) => value * 10);
  const { script, log, job } = await scripted(strategy);
  script.push((out) => out.collectGenerated((index) => index, 3, 4));
  await job.clock.runFor(250);
  script.end();
  await job.finish();
  assert.deepEqual(log, ["3", "4", "5", "6", 59, "end"]);
});

test("punctuated watermarks stand right behind the record that caused them", async () => {
  const strategy = WatermarkStrategy.forGenerator<number>(() => ({
    onEvent: (value, timestampMs, output) => {
      if (value % 2 === 0) output.emitWatermark(timestampMs);
    },
    onPeriodicEmit: () => undefined,
  }));
  const { script, log, job } = await scripted(strategy);
  script.push((out) => [1, 2, 3, 4, 5].forEach((n) => out.collect(n, n)));
  script.end();
  await job.finish();
  assert.deepEqual(log, ["1", "2", 2, "3", "4", 4, "5", "end"]);
});

test("the watermark is the minimum over splits, until a split is released", async () => {
  const { script, log, job } = await scripted(WatermarkStrategy.forMonotonousTimestamps());
  script.push((out) => {
    out.forSplit("a").collect("a", 100);
    out.forSplit("b").collect("b", 50);
  });
  await job.clock.runFor(250);
  script.push((out) => out.releaseSplit("b"));
  await job.clock.runFor(250);
  assert.deepEqual(log, ["a", "b", 49, 99]);
  await job.cancel();
});

test("a silent split becomes idle, and a silent source says so and comes back", async () => {
  const { script, log, job } = await scripted(WatermarkStrategy.forMonotonousTimestamps().withIdleness(1000));
  script.push((out) => {
    out.forSplit("a").collect("a", 100);
    out.forSplit("b").collect("b", 50);
  });
  for (let i = 1; i <= 8; i++) {
    await job.clock.runFor(250);
    script.push((out) => out.forSplit("a").collect(`a${i}`, 100 + i));
  }
  await job.clock.runFor(1);
  assert.equal(log.includes(49), true);
  assert.ok(Number(log.filter((entry) => typeof entry === "number").at(-1)) >= 100, "split b does not hold split a back any more");
  await job.clock.runFor(3000);
  assert.equal(log.at(-1), "idle");
  script.push((out) => out.forSplit("b").collect("b2", 500));
  await job.clock.runFor(300);
  assert.deepEqual(log.slice(log.indexOf("idle")), ["idle", "b2", "active", 499]);
  await job.cancel();
});

test("the end of a source that is idle counts: it is active before it", async () => {
  const { script, log, job } = await scripted(WatermarkStrategy.forMonotonousTimestamps().withIdleness(1000));
  script.push((out) => out.collect("a", 100));
  await job.clock.runFor(3000);
  assert.equal(log.at(-1), "idle");
  script.end();
  await job.finish();
  assert.deepEqual(log, ["a", 99, "idle", "active", "end"]);
});

test("batches of a reader are taken whole, with or without times", async () => {
  const { script, log, job } = await scripted(WatermarkStrategy.forMonotonousTimestamps<number>().withTimestampAssigner((value) => value * 10));
  script.push((out) => out.collectBatch([1, 2, 3], null));
  script.push((out) => out.collectBatch([4], Float64Array.of(7)));
  script.end();
  await job.finish();
  assert.deepEqual(log, ["1", "2", "3", "4", "end"]);
});

test("malformed records go to the side output", async () => {
  const script = new Script();
  const good: unknown[] = [];
  const bad: unknown[] = [];
  const builder = new GraphBuilder();
  const source = builder.add({ type: "source", source: script.source as never, watermarks: WatermarkStrategy.noWatermarks() });
  builder.add(arraySink(good), [{ from: source }]);
  builder.add(arraySink(bad), [{ from: source, sideOutput: new OutputTag("malformed") }]);
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  job.start();
  script.push((out) => {
    out.collect("fine");
    out.sideOutput("malformed", "line 2");
    out.sideOutput("unread", "line 3");
  });
  script.end();
  await job.finish();
  assert.deepEqual([good, bad], [["fine"], ["line 2"]]);
});

test("a source that is ahead of its alignment group pauses, and so do its splits", async () => {
  const { script, log, job } = await scripted(WatermarkStrategy.forMonotonousTimestamps().withWatermarkAlignment("group", 100, 200));
  script.push((out) => {
    out.forSplit("a").collect("a", 1000);
    out.forSplit("b").collect("b", 2000);
  });
  await job.clock.runFor(450);
  const reports = job.events.flatMap((event) => (event.type === "coordinatorEvent" && event.event.kind === "watermarkReport" ? [event.event] : []));
  assert.deepEqual(reports.at(-1), { kind: "watermarkReport", watermarkMs: 999, group: "group", maxDriftMs: 100 });
  const operatorId = job.jobGraph.vertices[0]!.operators[0]!.id;
  const align = (maxWatermarkMs: number): void => job.executors[0]!.handle({ type: "operatorEvent", epoch: 1, operatorId, subtaskIndex: 0, event: { kind: "alignment", maxWatermarkMs } });
  align(1500);
  await job.clock.runFor(10);
  assert.deepEqual(script.paused, [["-b"]]);
  align(500);
  await job.clock.runFor(10);
  script.push((out) => out.collect("not yet", 3000));
  await job.clock.runFor(10);
  assert.equal(log.includes("not yet"), false);
  align(5000);
  await job.clock.runFor(10);
  assert.equal(log.includes("not yet"), true);
  await job.cancel();
});

test("in batch mode there is no watermark but the last", async () => {
  const log: (string | number)[] = [];
  const builder = new GraphBuilder({ "execution.runtime-mode": "BATCH" });
  const watermarks = WatermarkStrategy.forGenerator<number>(() => ({ onEvent: (_v, ms, output) => output.emitWatermark(ms), onPeriodicEmit: () => undefined }));
  const source = builder.add(listSource({ splits: [[1, 2, 3]], timestampOf: (value: number) => value, watermarks }));
  builder.add({ type: "custom", inputs: 1, factory: (): Operator => new Recorder(log) }, [{ from: source, partitioner: { kind: "rebalance" } }]);
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  job.start();
  await job.finish();
  assert.deepEqual(log, ["1", "2", "3", "end"]);
});

test("a failing reader or enumerator fails the job", async () => {
  const { script, job } = await scripted(WatermarkStrategy.noWatermarks());
  script.push(() => {
    throw new Error("cannot read");
  });
  await assert.rejects(job.finish(), /cannot read/);
  const builder = new GraphBuilder();
  const failing = { ...new Script().source, createEnumerator: async () => Promise.reject(new Error("cannot list")) };
  const source = builder.add({ type: "source", source: failing as never, watermarks: WatermarkStrategy.noWatermarks() });
  builder.add(arraySink([]), [{ from: source }]);
  const other = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph() });
  other.start();
  await assert.rejects(other.finish(), /cannot list/);
});
