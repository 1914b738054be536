import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LocalFileSystem } from "@millrace/env-node";
import { MemoryFileSystem, seededRandom, TransactionalSink, VirtualTimeEnvironment } from "@millrace/testkit";
import { Faults, faultyFileSystem, planFaults, type Fault } from "./exactly-once/faults.js";
import { shapes } from "./exactly-once/shapes.js";

/*
 * Invariant: whatever fails, and however often, what a job makes visible (collected results, committed transactions, committed files) is what it makes
 * visible without failures.
 *
 * Each seed makes a job of each shape, runs it without failures, and again with failures at places which that run has visited. MILLRACE_FUZZ_RUNS is the
 * number of seeds per shape; MILLRACE_FUZZ_SEED runs one seed alone.
 */
const RUNS = Number(process.env["MILLRACE_FUZZ_RUNS"] ?? 10);
const ONLY = process.env["MILLRACE_FUZZ_SEED"];
/** Seeds that failed once, by shape. */
const FAILED_ONCE: Readonly<Record<string, readonly number[]>> = { "interval join": [3], async: [12] };

interface Outcome {
  readonly collected: readonly string[];
  readonly committed: readonly string[];
  readonly files: readonly string[];
}

interface Run {
  readonly outcome: Outcome;
  readonly faults: Faults;
  readonly restarts: number;
}

async function run(shape: string, seed: number, planned: readonly Fault[], failuresOfMaster: number): Promise<Run> {
  const random = seededRandom(seed);
  const faults = new Faults(planned);
  const directory = mkdtempSync(join(tmpdir(), "millrace-fuzz-"));
  const open = new Set<{ readonly path: string }>();
  mkdirSync(join(directory, "out"));
  try {
    const virtual = new VirtualTimeEnvironment({
      seed, roundTripEdges: random() < 0.5,
      fs: faultyFileSystem(shape === "files" ? new LocalFileSystem() : new MemoryFileSystem(), faults.visit, open),
      config: {
        "execution.checkpointing.interval": 4 + Math.floor(random() * 60), "execution.checkpointing.tolerable-failed-checkpoints": random() < 0.5 ? 1000 : 0,
        "execution.checkpointing.dir": join(directory, "checkpoints"), "pipeline.chain-compiler.enabled": random() < 0.7,
        "pipeline.operator-chaining.enabled": random() < 0.7, "parallelism.default": 1 + Math.floor(random() * 3),
        "taskmanager.network.batch-size": 1 + Math.floor(random() * 30), "taskmanager.network.memory.buffers-per-channel": 1 + Math.floor(random() * 4),
        "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 50, "restart-strategy.fixed-delay.delay": Math.floor(random() * 20),
      },
    });
    const sink = new TransactionalSink((step) => faults.visit(`sink: ${step}`));
    const results = shapes[shape]!({ env: virtual.env, clock: virtual.time.clock, visit: faults.visit, random, directory });
    results.sinkTo(sink).uid("transactions");
    for (let i = 0; i < failuresOfMaster; i++) virtual.time.clock.setTimer(random() * 400, () => virtual.job.injectFailure(new Error("fault in the JobMaster")));
    // Jobs last less than a second of virtual time: one that is still there after an hour makes no progress.
    virtual.time.clock.setTimer(3_600_000, () => virtual.job.cancel());
    const collected = await virtual.executeAndCollect(results);
    assert.deepEqual([...open].map(({ path }) => path), [], "files are still open");
    const outcome = { collected: collected.sort(), committed: sink.visible.sort(), files: visibleLines(join(directory, "out")).sort() };
    return { outcome, faults, restarts: virtual.job.metrics().restarts };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What readers of the sink's directory see. */
function visibleLines(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((name) => !name.startsWith(".")).flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n").filter((line) => line !== ""));
}

async function check(shape: string, seed: number): Promise<{ restarts: number; places: readonly string[] }> {
  const expected = await run(shape, seed, [], 0);
  assert.equal(expected.restarts, 0);
  assert.ok(expected.outcome.collected.length > 0, "the job has no results");
  assert.deepEqual(expected.outcome.committed, expected.outcome.collected);
  if (shape === "files") assert.deepEqual(expected.outcome.files, expected.outcome.collected);
  const random = seededRandom(seed ^ 0x5bd1e995);
  const planned = planFaults(random, expected.faults.visits);
  const failuresOfMaster = random() < 0.15 ? 1 + Math.floor(random() * 2) : 0;
  try {
    const { outcome, faults, restarts } = await run(shape, seed, planned, failuresOfMaster);
    assert.deepEqual(outcome, expected.outcome);
    return { restarts, places: faults.thrown.map((fault) => fault.place) };
  } catch (error) {
    throw new Error(`seed ${seed}, with failures at ${planned.map(({ place, at }) => `${place} (visit ${at})`).join(", ")}, and ${failuresOfMaster} in the JobMaster`, { cause: error });
  }
}

for (const shape of Object.keys(shapes)) {
  test(`${shape}: output is that of a run without failures`, async (context) => {
    const seeds = ONLY === undefined ? [...(FAILED_ONCE[shape] ?? []), ...Array.from({ length: RUNS }, (_, i) => i + 1)] : [Number(ONLY)];
    const failures: unknown[] = [];
    const places = new Set<string>();
    let restarts = 0;
    for (const seed of seeds) {
      try {
        const result = await check(shape, seed);
        restarts += result.restarts;
        for (const place of result.places) places.add(place);
      } catch (error) {
        failures.push(error);
      }
    }
    context.diagnostic(`${seeds.length} seeds, ${restarts} restarts, ${places.size} places failed`);
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} of ${seeds.length} seeds: ${failures.map((failure) => (failure as Error).message).join("; ")}`, { cause: (failures[0] as Error).cause });
    if (ONLY === undefined) assert.ok(restarts > seeds.length / 2, `${restarts} restarts in ${seeds.length} runs: the failures do not hit`);
  });
}
