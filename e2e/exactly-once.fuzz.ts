import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { FileSystem } from "@millrace/core";
import { LocalFileSystem } from "@millrace/env-node";
import { Faults, MemoryFileSystem, planFaults, seededRandom, TransactionalSink, VirtualTimeEnvironment, type Fault } from "@millrace/testkit";
import type { DataStream } from "millrace";
import { faultyFileSystem } from "./exactly-once/faults.js";
import { shapes } from "./exactly-once/shapes.js";

/*
 * Invariant: whatever fails, and however often, what a job makes visible (collected results, committed transactions, committed files) is what it makes
 * visible without failures.
 *
 * Each seed makes a job of each shape, runs it without failures, and again with failures at places which that run has visited. MILLRACE_FUZZ_RUNS is the
 * number of seeds per shape, from MILLRACE_FUZZ_FIRST on; MILLRACE_FUZZ_SEED runs one seed alone. With unaligned checkpoints the end of the job is slow, so
 * that records wait before it, and each seed runs a third time: restored at another parallelism after each failure.
 */
const RUNS = Number(process.env["MILLRACE_FUZZ_RUNS"] ?? 10);
const ONLY = process.env["MILLRACE_FUZZ_SEED"];
const FIRST = Number(process.env["MILLRACE_FUZZ_FIRST"] ?? 1);
/** Seeds that failed once, by name of the test. */
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
  /** Bytes of records in flight that the last checkpoints held. */
  readonly inFlightBytes: number;
}

/** How the checkpoints of a run are taken. */
type Mode = "aligned" | "unaligned" | "aligned, then unaligned";

/** What does not depend on the attempt. */
interface Plan {
  readonly shape: string;
  readonly mode: Mode;
  readonly seed: number;
}

/** What a job of this seed is configured with. `random` gives what follows for its shape. */
function configuration({ mode, seed }: Plan, directory: string): { readonly random: () => number; readonly roundTripEdges: boolean; readonly config: Record<string, unknown> } {
  const random = seededRandom(seed);
  const roundTripEdges = random() < 0.5;
  const config: Record<string, unknown> = {
    "execution.checkpointing.interval": 4 + Math.floor(random() * 60), "execution.checkpointing.tolerable-failed-checkpoints": random() < 0.5 ? 1000 : 0,
    "execution.checkpointing.dir": join(directory, "checkpoints"), "pipeline.chain-compiler.enabled": random() < 0.7,
    "pipeline.operator-chaining.enabled": random() < 0.7, "parallelism.default": 1 + Math.floor(random() * 3),
    "taskmanager.network.batch-size": 1 + Math.floor(random() * 30), "taskmanager.network.memory.buffers-per-channel": 1 + Math.floor(random() * 4),
    "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 50, "restart-strategy.fixed-delay.delay": Math.floor(random() * 20),
    "pipeline.combine-windows.enabled": seed % 3 !== 0,
  };
  if (seed % 2 === 0) {
    Object.assign(config, {
      "taskmanager.network.memory.buffer-debloat.enabled": true, "taskmanager.network.memory.buffer-debloat.target": 10, "taskmanager.network.memory.buffer-debloat.period": 5,
      "taskmanager.network.memory.buffer-debloat.samples": 2, "taskmanager.memory.min-segment-size": 1 + (seed % 200),
    });
  }
  if (mode !== "aligned") config["execution.checkpointing.unaligned.enabled"] = true;
  if (mode === "aligned, then unaligned") config["execution.checkpointing.aligned-checkpoint-timeout"] = 1 + (seed % 30);
  return { random, roundTripEdges, config };
}

/** Builds the job: of unaligned modes with a slow end, so that records wait everywhere before it. */
function build(plan: Plan, virtual: VirtualTimeEnvironment, faults: Faults, random: () => number, directory: string): DataStream<string> {
  const { clock } = virtual.time;
  const results = shapes[plan.shape]!({ env: virtual.env, clock, visit: faults.visit, random, directory });
  if (plan.mode === "aligned") return results;
  const slowMs = plan.seed % 4;
  const wait = async (text: string): Promise<string> => {
    await new Promise<void>((resolve) => clock.setTimer(slowMs, resolve));
    return text;
  };
  return results.rebalance().asyncMap(wait, { capacity: 1 + (plan.seed % 3) }).uid("slow");
}

async function run(plan: Plan, planned: readonly Fault[], failuresOfMaster: number): Promise<Run> {
  const faults = new Faults(planned);
  const directory = mkdtempSync(join(tmpdir(), "millrace-fuzz-"));
  const open = new Set<{ readonly path: string }>();
  mkdirSync(join(directory, "out"));
  try {
    const { random, roundTripEdges, config } = configuration(plan, directory);
    const virtual = new VirtualTimeEnvironment({
      seed: plan.seed, roundTripEdges, config, separateSlots: plan.mode !== "aligned" && plan.seed % 4 !== 0,
      fs: faultyFileSystem(plan.shape === "files" ? new LocalFileSystem() : new MemoryFileSystem(), faults.visit, open),
    });
    const sink = new TransactionalSink((step) => faults.visit(`sink: ${step}`));
    const results = build(plan, virtual, faults, random, directory);
    results.sinkTo(sink).uid("transactions");
    for (let i = 0; i < failuresOfMaster; i++) virtual.time.clock.setTimer(random() * 400, () => virtual.job.injectFailure(new Error("fault in the JobMaster")));
    // Jobs last less than a second of virtual time: one that is still there after an hour makes no progress.
    virtual.time.clock.setTimer(3_600_000, () => virtual.job.cancel());
    const collected = await virtual.executeAndCollect(results);
    assert.deepEqual([...open].map(({ path }) => path), [], "files are still open");
    const outcome = { collected: collected.sort(), committed: sink.visible.sort(), files: visibleLines(join(directory, "out")).sort() };
    return { outcome, faults, restarts: virtual.job.metrics().restarts, inFlightBytes: inFlightBytes(virtual) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Runs until a failure, then from the last checkpoint at another parallelism, and so on. @returns what was committed, and how often it was restored */
async function runRescaled(plan: Plan, planned: readonly Fault[]): Promise<{ committed: readonly string[]; restores: number }> {
  const faults = new Faults(planned);
  const directory = mkdtempSync(join(tmpdir(), "millrace-fuzz-"));
  mkdirSync(join(directory, "out"));
  const files = plan.shape === "files" ? new LocalFileSystem() : new MemoryFileSystem();
  const sink = new TransactionalSink((step) => faults.visit(`sink: ${step}`));
  try {
    for (let attempt = 0, restores = 0; ; attempt++) {
      const { random, roundTripEdges, config } = configuration(plan, directory);
      const last = await lastCheckpoint(files, join(directory, "checkpoints"));
      if (last !== undefined) restores++;
      const virtual = new VirtualTimeEnvironment({
        // Checkpoint directories are named by job ids.
        seed: plan.seed + attempt * 1_000_003, roundTripEdges, separateSlots: plan.seed % 4 !== 0, fs: faultyFileSystem(files, faults.visit, new Set()),
        config: {
          ...config, "parallelism.default": 1 + ((Number(config["parallelism.default"]) + attempt) % 4), "restart-strategy.type": "none", "pipeline.max-parallelism": 16,
          "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION", ...(last === undefined ? {} : { "execution.state-recovery.path": last }),
        },
      });
      build(plan, virtual, faults, random, directory).sinkTo(sink).uid("transactions");
      virtual.time.clock.setTimer(3_600_000, () => virtual.job.cancel());
      const thrown = faults.thrown.length;
      try {
        await virtual.execute();
        return { committed: [...sink.visible].sort(), restores };
      } catch (error) {
        if (faults.thrown.length === thrown) throw error;
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function inFlightBytes(virtual: VirtualTimeEnvironment): number {
  return virtual.job.view().checkpoints.completed.reduce((sum, { persistedBytes }) => sum + persistedBytes, 0);
}

/** The newest complete one of all jobs. */
async function lastCheckpoint(files: FileSystem, directory: string): Promise<string | undefined> {
  const found: { readonly id: number; readonly path: string }[] = [];
  for (const job of await files.list(directory).catch(() => [])) {
    for (const { path } of await files.list(job.path).catch(() => [])) {
      if ((await files.status(`${path}/_metadata`)) !== undefined) found.push({ id: Number(/chk-(\d+)$/.exec(path)![1]), path });
    }
  }
  return found.sort((a, b) => b.id - a.id)[0]?.path;
}

/** What readers of the sink's directory see. */
function visibleLines(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((name) => !name.startsWith(".")).flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n").filter((line) => line !== ""));
}

async function check(plan: Plan): Promise<{ restarts: number; places: readonly string[]; inFlightBytes: number }> {
  const expected = await run(plan, [], 0);
  assert.equal(expected.restarts, 0);
  assert.ok(expected.outcome.collected.length > 0, "the job has no results");
  assert.deepEqual(expected.outcome.committed, expected.outcome.collected);
  if (plan.shape === "files" && plan.mode === "aligned") assert.deepEqual(expected.outcome.files, expected.outcome.collected);
  const random = seededRandom(plan.seed ^ 0x5bd1e995);
  const planned = planFaults(random, expected.faults.visits);
  const failuresOfMaster = random() < 0.15 ? 1 + Math.floor(random() * 2) : 0;
  const failures = planned.map(({ place, at }) => `${place} (visit ${at})`).join(", ");
  try {
    const { outcome, faults, restarts } = await run(plan, planned, failuresOfMaster);
    assert.deepEqual(outcome, expected.outcome);
    if (plan.mode === "aligned") return { restarts, places: faults.thrown.map((fault) => fault.place), inFlightBytes: 0 };
  } catch (error) {
    throw new Error(`seed ${plan.seed}, with failures at ${failures}, and ${failuresOfMaster} in the JobMaster`, { cause: error });
  }
  try {
    const rescaled = await runRescaled(plan, planned);
    assert.deepEqual(rescaled.committed, expected.outcome.committed);
    return { restarts: rescaled.restores, places: [], inFlightBytes: expected.inFlightBytes };
  } catch (error) {
    throw new Error(`seed ${plan.seed}, restored at another parallelism after failures at ${failures}`, { cause: error });
  }
}

const plans = (["aligned", "unaligned", "aligned, then unaligned"] as const).flatMap((mode) => Object.keys(shapes).map((shape) => ({ mode, shape })));

for (const { mode, shape } of plans) {
  const name = mode === "aligned" ? shape : `${shape}, ${mode}`;
  test(`${name}: output is that of a run without failures`, async (context) => {
    const seeds = ONLY === undefined ? [...(FAILED_ONCE[name] ?? []), ...Array.from({ length: RUNS }, (_, i) => FIRST + i)] : [Number(ONLY)];
    const failures: unknown[] = [];
    const places = new Set<string>();
    let restarts = 0;
    let inFlightBytes = 0;
    for (const seed of seeds) {
      try {
        const result = await check({ shape, mode, seed });
        restarts += result.restarts;
        inFlightBytes += result.inFlightBytes;
        for (const place of result.places) places.add(place);
      } catch (error) {
        failures.push(error);
      }
    }
    context.diagnostic(`${seeds.length} seeds, ${restarts} restarts, ${places.size} places failed, ${inFlightBytes} bytes in flight`);
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} of ${seeds.length} seeds: ${failures.map((failure) => (failure as Error).message).join("; ")}`, { cause: (failures[0] as Error).cause });
    if (ONLY === undefined && mode === "aligned") assert.ok(restarts > seeds.length / 2, `${restarts} restarts in ${seeds.length} runs: the failures do not hit`);
  });
}
