import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TestJob } from "../support/test-job.js";
import { buildRandomJob, randomSteps, type RandomStep } from "./random-job.js";

/* Invariants: compiled chains do what the reference path does; how a stream is cut into batches, and where tasks run, changes no result. */

interface Variant {
  readonly parallelism: number;
  readonly slots?: number;
  readonly config?: Record<string, unknown>;
  readonly chunk?: (poll: number) => number;
  readonly roundTrip?: boolean;
}

async function run(steps: readonly RandomStep[], variant: Variant): Promise<string[][]> {
  const { builder, logs } = buildRandomJob(steps, variant.parallelism, variant.config ?? {}, variant.chunk ?? (() => 50));
  const job = new TestJob({
    graph: builder.graph, jobGraph: builder.jobGraph(), slots: variant.slots ?? 1, executor: { roundTripLocalEdges: variant.roundTrip === true },
  });
  job.start();
  await job.finish();
  return logs.map((log) => log.map(String));
}

const runs = Number(process.env["FUZZ_RUNS"] ?? 60);
const withoutWatermarks = (logs: string[][]): string[][] => logs.map((log) => log.filter((line) => !line.startsWith("watermark")).sort());
/** What depends on the order in which parallel subtasks meet. */
const orderMatters = (step: RandomStep): boolean => step.kind === "reduce" || step.kind === "timestamps";

test("compiled chains equal the reference path, in order, with time stamps and watermarks", async () => {
  await fc.assert(fc.asyncProperty(randomSteps, async (steps) => {
    const compiled = await run(steps, { parallelism: 1 });
    const reference = await run(steps, { parallelism: 1, config: { "pipeline.chain-compiler.enabled": false } });
    assert.deepEqual(compiled, reference);
  }), { numRuns: runs });
});

test("batches of any size, codec round trips and frozen records give the same records in the same order", async () => {
  await fc.assert(fc.asyncProperty(randomSteps, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), async (steps, sizes) => {
    const whole = await run(steps, { parallelism: 1, chunk: () => 1000 });
    const cut = await run(steps, {
      parallelism: 1, chunk: (poll) => sizes[poll % sizes.length]!, roundTrip: true, config: { "taskmanager.network.batch-size": sizes[0], "pipeline.freeze-records": true },
    });
    const records = (logs: string[][]): string[][] => logs.map((log) => log.filter((line) => !line.startsWith("watermark")));
    const single = steps.every((step) => step.edge === "chain" || step.reads === 0);
    if (single) assert.deepEqual(records(cut), records(whole));
    else assert.deepEqual(withoutWatermarks(cut), withoutWatermarks(whole));
  }), { numRuns: runs });
});

test("parallel tasks give the same records in one slot and in several, compiled or not", async () => {
  await fc.assert(fc.asyncProperty(randomSteps.map((steps) => steps.filter((step) => !orderMatters(step))), fc.integer({ min: 1, max: 3 }), async (steps, slots) => {
    const one = await run(steps, { parallelism: 2 });
    const many = await run(steps, { parallelism: 2, slots, config: { "pipeline.chain-compiler.enabled": false, "taskmanager.network.batch-size": 7 } });
    assert.deepEqual(withoutWatermarks(many), withoutWatermarks(one));
  }), { numRuns: runs });
});
