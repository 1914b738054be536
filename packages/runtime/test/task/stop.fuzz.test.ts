// Stops behind a savepoint, over random jobs and moments.
// - Suspended and complete: every task finishes, nothing comes out after the snapshot, and the job that is restored from it, with any parallelism,
//   brings exactly what is missing.
// - Suspended and aborted: the job goes on as if nothing had been.
// - Drained and complete: the last watermark has fired every timer before the snapshot, so that only the rest of the input is left for a restored job.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ValueStateDescriptor, type Collector, type KeyedProcessContext, type KeyedProcessFunction, type OnTimerContext, type RuntimeContext,
} from "@millrace/core";
import { arraySink } from "../support/collect-sink.js";
import { GraphBuilder } from "../support/graph-builder.js";
import { listSource } from "../support/list-source.js";
import { MemoryFiles } from "../support/memory-files.js";
import { TestClock } from "../support/test-clock.js";
import { TestJob, type TestCheckpoint } from "../support/test-job.js";

const RECORDS = 600;
const KEYS = 13;
const END_OF_TIME = 1e12;
const sum = new ValueStateDescriptor<number>("sum");

/** Passes every record on, and at the end of time the sum of those since the last sum. */
class Summing implements KeyedProcessFunction<number, number, string> {
  #runtime!: RuntimeContext;
  open(runtime: RuntimeContext): void {
    this.#runtime = runtime;
  }
  processElement(value: number, context: KeyedProcessContext<number>, out: Collector<string>): undefined {
    const state = this.#runtime.getState(sum);
    state.update((state.value() ?? 0) + value);
    context.timerService.registerEventTimeTimer(END_OF_TIME);
    out.collect(`record ${value}`);
  }
  onTimer(_timestampMs: number, context: OnTimerContext<number>, out: Collector<string>): undefined {
    const state = this.#runtime.getState(sum);
    out.collect(`sum ${context.currentKey} ${state.value()}`);
    state.clear();
  }
}

interface Scenario {
  readonly rounds: number;
  readonly slots: number;
  readonly before: number;
  readonly after: number;
  readonly batch: number;
  readonly unevenSplits: boolean;
}

class Run {
  readonly out: string[] = [];
  readonly files = new MemoryFiles();
  readonly #scenario: Scenario;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  job(parallelism: number): TestJob {
    const { batch, unevenSplits, slots } = this.#scenario;
    const builder = new GraphBuilder({ "pipeline.max-parallelism": 128, "taskmanager.network.batch-size": batch });
    const values = Array.from({ length: RECORDS }, (_, i) => i);
    const splits = unevenSplits ? [values.slice(0, 20), values.slice(20, 60), values.slice(60)] : [0, 1, 2].map((part) => values.filter((v) => v % 3 === part));
    const source = builder.add(listSource({ splits, timestampOf: (value: number) => value, chunk: () => 15 }), [], { parallelism });
    const spread = builder.add({ type: "map", fn: (value: number) => value }, [{ from: source, partitioner: { kind: "rebalance" } }], { parallelism });
    const summing = builder.add({ type: "keyedProcess", fn: Summing }, [{ from: spread, keySelector: (value: number) => value % KEYS }], { parallelism });
    builder.add(arraySink(this.out), [{ from: summing }], { parallelism: 1 });
    return new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph(), slots, files: this.files, clock: new TestClock(0.2) });
  }

  /** Runs a job for a while. @returns false when a task has finished already */
  async runSome(job: TestJob): Promise<boolean> {
    job.start();
    await job.clock.runUntil(() => job.error !== undefined || job.allIn("RUNNING", "FINISHED"));
    await job.clock.runRounds(this.#scenario.rounds);
    return job.allIn("RUNNING");
  }

  sums(): string[] {
    const sums = new Map<string, number>();
    for (const line of this.out) {
      const [kind, key, value] = line.split(" ");
      if (kind === "sum") sums.set(key!, (sums.get(key!) ?? 0) + Number(value));
    }
    return [...sums].map(([key, value]) => `${key} ${value}`).sort();
  }

  records(): number[] {
    return this.out.filter((line) => line.startsWith("record")).map((line) => Number(line.slice(7))).sort((a, b) => a - b);
  }
}

const allRecords = Array.from({ length: RECORDS }, (_, i) => i);
const allSums = Array.from({ length: KEYS }, (_, key) => `${key} ${allRecords.filter((v) => v % KEYS === key).reduce((a, b) => a + b, 0)}`).sort();

const scenarios = fc.record<Scenario>({
  rounds: fc.integer({ min: 0, max: 60 }), slots: fc.integer({ min: 1, max: 3 }), before: fc.integer({ min: 1, max: 3 }), after: fc.integer({ min: 1, max: 4 }),
  batch: fc.integer({ min: 1, max: 60 }), unevenSplits: fc.boolean(),
});
const numRuns = Number(process.env["FUZZ_RUNS"] ?? 20);

/** Stops a job behind its first checkpoint; `undefined` when a task had finished before it could take part. */
async function stop(run: Run, mode: "suspend" | "drain", scenario: Scenario): Promise<TestCheckpoint | undefined> {
  const job = run.job(scenario.before);
  if (!(await run.runSome(job))) return undefined;
  const taken = await job.tryCheckpoint(1, { stop: mode });
  if (taken === undefined) return undefined;
  const atSnapshot = mode === "suspend" ? undefined : run.out.length;
  await job.finish();
  if (atSnapshot !== undefined) assert.equal(run.out.length, atSnapshot);
  return taken;
}

test("a job that was suspended and restored has brought everything exactly once", async () => {
  let suspended = 0;
  await fc.assert(fc.asyncProperty(scenarios, async (scenario) => {
    const run = new Run(scenario);
    const taken = await stop(run, "suspend", scenario);
    if (taken === undefined) return;
    suspended++;
    // The input may have ended by itself before the snapshot; then every timer has fired, and nothing is missing.
    if (run.sums().length > 0) assert.deepEqual(run.sums(), allSums);
    const resumed = run.job(scenario.after);
    resumed.start(taken);
    await resumed.finish();
    assert.deepEqual(run.records(), allRecords);
    assert.deepEqual(run.sums(), allSums);
  }), { numRuns, examples: [[{ rounds: 9, slots: 1, before: 1, after: 1, batch: 8, unevenSplits: false }]] });
  assert.ok(suspended > 0);
});

test("a job whose stop was aborted goes on", async () => {
  await fc.assert(fc.asyncProperty(scenarios, fc.integer({ min: 0, max: 30 }), async (scenario, roundsUntilAbort) => {
    const run = new Run(scenario);
    const job = run.job(scenario.before);
    await run.runSome(job);
    job.trigger(1, { stop: "suspend" });
    await job.clock.runRounds(roundsUntilAbort);
    job.abort(1);
    await job.finish();
    assert.deepEqual(run.records(), allRecords);
    assert.deepEqual(run.sums(), allSums);
  }), { numRuns });
});

test("a job that was drained has fired everything, and a restored one brings the rest", async () => {
  let drained = 0;
  await fc.assert(fc.asyncProperty(scenarios, async (scenario) => {
    const run = new Run(scenario);
    const taken = await stop(run, "drain", scenario);
    if (taken === undefined) return;
    drained++;
    const total = (lines: readonly string[]): number => lines.reduce((all, line) => all + Number(line.split(" ")[1]), 0);
    assert.equal(total(run.sums()), run.records().reduce((a, b) => a + b, 0));
    const resumed = run.job(scenario.after);
    resumed.start(taken);
    await resumed.finish();
    assert.deepEqual(run.records(), allRecords);
    assert.deepEqual(run.sums(), allSums);
  }), { numRuns });
  assert.ok(drained > 0);
});
