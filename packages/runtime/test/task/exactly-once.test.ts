import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MillraceError, OneInputOperator, OperatorContext, Output, ValueState } from "@millrace/core";
import { ValueStateDescriptor, WatermarkStrategy } from "@millrace/core";
import { arraySink } from "../support/collect-sink.js";
import { GraphBuilder } from "../support/graph-builder.js";
import { listSource } from "../support/list-source.js";
import { TestClock } from "../support/test-clock.js";
import { TestJob, type TestCheckpoint } from "../support/test-job.js";

/*
 * Invariant: after any failure, a restore from the last checkpoint gives the state of a run without failures: the last count of every key, and
 * every timer fires once. FUZZ_RUNS sets the number of runs.
 */
const KEYS = 13;
const RECORDS = 3000;

/** Counts per key, and emits the count again from a timer at the end of time. */
class Counter implements OneInputOperator<number, string> {
  readonly #context: OperatorContext;
  readonly #count: ValueState<number>;
  readonly #timers;
  readonly #visit: () => void;

  constructor(context: OperatorContext, visit: () => void) {
    this.#context = context;
    this.#visit = visit;
    this.#count = context.keyedState.getState(new ValueStateDescriptor<number>("count"));
    this.#timers = context.timers("end", {
      onEventTime: (_timestampMs, _namespace, out) => out.collect(`total ${String(context.keyedState.currentKey)}=${this.#count.value()}`, 0),
      onProcessingTime: () => undefined,
    });
  }
  processRecord(_value: number, timestampMs: number, _out: Output<string>): void {
    this.#visit();
    this.#count.update((this.#count.value() ?? 0) + 1);
    this.#timers.registerEventTimeTimer("", 1_000_000);
    void timestampMs;
    void this.#context;
  }
}

interface Scenario {
  readonly failAt: number;
  readonly rounds: number;
  readonly slots: number;
  readonly parallelism: number;
  readonly batch: number;
}

async function run(scenario: Scenario): Promise<string[]> {
  const out: string[] = [];
  let visits = 0;
  const visit = (): void => {
    if (++visits === scenario.failAt) throw new Error("injected");
  };
  const builder = new GraphBuilder({ "execution.checkpointing.interval": 10, "taskmanager.network.batch-size": scenario.batch });
  const values = Array.from({ length: RECORDS }, (_, i) => i);
  const source = builder.add(
    listSource({
      splits: [values.filter((v) => v % 3 === 0), values.filter((v) => v % 3 === 1), values.filter((v) => v % 3 === 2)],
      timestampOf: (value: number) => value, chunk: () => 20, perSplitOutputs: true, watermarks: WatermarkStrategy.forMonotonousTimestamps<number>(),
    }), [], { parallelism: scenario.parallelism });
  const spread = builder.add({ type: "map", fn: (value: number) => value }, [{ from: source, partitioner: { kind: "rebalance" } }], { parallelism: scenario.parallelism });
  const counter = builder.add({ type: "custom", inputs: 1, factory: (context): OneInputOperator<number, string> => new Counter(context, visit) }, [{ from: spread, keySelector: (value: number) => value % KEYS }], {
    parallelism: scenario.parallelism });
  builder.add(arraySink(out), [{ from: counter }], { parallelism: 1 });
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph(), slots: scenario.slots, clock: new TestClock(0.2) });
  let last: TestCheckpoint | undefined;
  let failures = 0;
  for (let id = 1; ; ) {
    out.length = 0;
    job.start(last);
    try {
      await job.clock.runUntil(() => job.error !== undefined || job.allIn("RUNNING", "FINISHED"));
      while (job.error === undefined && !job.allIn("FINISHED")) {
        if (job.ids.every((task) => job.states.get(task) === "RUNNING")) last = (await job.tryCheckpoint(id++)) ?? last;
        await job.clock.runRounds(scenario.rounds);
        if (job.clock.idle) await job.clock.runUntil(() => job.error !== undefined || job.allIn("FINISHED"));
      }
      if (job.error !== undefined) throw job.error;
      assert.equal(failures, scenario.failAt <= RECORDS ? 1 : 0);
      return out.sort();
    } catch (error) {
      if ((error as MillraceError).code !== "USER_FUNCTION_FAILED") throw error;
      failures++;
      await job.cancel();
    }
  }
}

const expected = Array.from({ length: KEYS }, (_, key) => `total ${key}=${Math.floor((RECORDS - 1 - key) / KEYS) + 1}`).sort();

test("a failure anywhere, and a restore, lose nothing and count nothing twice", async () => {
  const scenario = fc.record<Scenario>({
    failAt: fc.integer({ min: 1, max: RECORDS + 10 }), rounds: fc.integer({ min: 1, max: 20 }), slots: fc.integer({ min: 1, max: 3 }),
    parallelism: fc.integer({ min: 1, max: 3 }), batch: fc.integer({ min: 1, max: 100 }),
  });
  await fc.assert(fc.asyncProperty(scenario, async (one) => assert.deepEqual(await run(one), expected)), { numRuns: Number(process.env["FUZZ_RUNS"] ?? 25) });
});
