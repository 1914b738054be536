import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { LocalFileSystem } from "@millrace/env-node";
import { Faults, MemoryFileSystem, planFaults, seededRandom, TransactionalSink, VirtualTimeEnvironment, type Fault } from "@millrace/testkit";
import { faultyFileSystem } from "./exactly-once/faults.js";
import { shapes } from "./exactly-once/shapes.js";

/*
 * Invariant: a job that is stopped behind savepoints and restored from them, each time with another parallelism, while other savepoints are taken,
 * makes visible (committed transactions, committed files) what it makes visible in one go. With and without failures meanwhile.
 *
 * MILLRACE_FUZZ_RUNS is the number of seeds per shape; MILLRACE_FUZZ_SEED runs one seed alone.
 */
const RUNS = Number(process.env["MILLRACE_FUZZ_RUNS"] ?? 6);
const ONLY = process.env["MILLRACE_FUZZ_SEED"];

interface Outcome {
  readonly committed: readonly string[];
  readonly files: readonly string[];
}

interface Plan {
  readonly faults: readonly Fault[];
  /** One job for each, stopped after so many milliseconds; the last one runs to its end. */
  readonly parts: readonly { readonly parallelism: number; readonly stopAfterMs?: number; readonly savepointAfterMs?: number; readonly claim?: boolean }[];
}

interface Run {
  readonly outcome: Outcome;
  readonly faults: Faults;
  /** How often a job was stopped and the next one restored from its savepoint. */
  readonly stops: number;
}

async function run(shape: string, seed: number, plan: Plan): Promise<Run> {
  const faults = new Faults(plan.faults);
  const directory = mkdtempSync(join(tmpdir(), "millrace-savepoints-"));
  mkdirSync(join(directory, "out"));
  const open = new Set<{ readonly path: string }>();
  const fs = faultyFileSystem(shape === "files" ? new LocalFileSystem() : new MemoryFileSystem(), faults.visit, open);
  const sink = new TransactionalSink((step) => faults.visit(`sink: ${step}`));
  let stops = 0;
  let from: string | undefined;
  try {
    for (const [index, { parallelism, stopAfterMs, savepointAfterMs, claim }] of plan.parts.entries()) {
      // The same numbers for each part, since it is the same job.
      const random = seededRandom(seed);
      const virtual = new VirtualTimeEnvironment({
        seed: seed + index, roundTripEdges: random() < 0.5, fs,
        config: {
          "execution.checkpointing.interval": 4 + Math.floor(random() * 60), "execution.checkpointing.tolerable-failed-checkpoints": random() < 0.5 ? 1000 : 0,
          "execution.checkpointing.max-concurrent-checkpoints": 1 + Math.floor(random() * 3), "execution.checkpointing.savepoint-dir": join(directory, "savepoints"),
          "execution.checkpointing.dir": join(directory, "checkpoints"), "pipeline.chain-compiler.enabled": random() < 0.7,
          "pipeline.operator-chaining.enabled": random() < 0.7, "parallelism.default": parallelism,
          "taskmanager.network.batch-size": 1 + Math.floor(random() * 30), "taskmanager.network.memory.buffers-per-channel": 1 + Math.floor(random() * 4),
          "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 50, "restart-strategy.fixed-delay.delay": Math.floor(random() * 20),
          ...(from === undefined ? {} : { "execution.state-recovery.path": from, "execution.state-recovery.claim-mode": claim === true ? "CLAIM" : "NO_CLAIM" }),
        },
      });
      const results = shapes[shape]!({ env: virtual.env, clock: virtual.time.clock, visit: faults.visit, random, directory });
      results.sinkTo(sink).uid("transactions");
      virtual.time.clock.setTimer(3_600_000, () => virtual.job.cancel());
      if (savepointAfterMs !== undefined) virtual.time.clock.setTimer(savepointAfterMs, () => void virtual.job.triggerSavepoint().catch(() => undefined));
      let stopped: Promise<string | undefined> = Promise.resolve(undefined);
      if (stopAfterMs !== undefined) virtual.time.clock.setTimer(stopAfterMs, () => void (stopped = virtual.job.stopWithSavepoint().catch(() => undefined)));
      await virtual.execute();
      from = await stopped;
      assert.deepEqual([...open].map(({ path }) => path), [], "files are still open");
      // It ended by itself, or the stop failed and it went on to its end.
      if (from === undefined) break;
      stops++;
    }
    return { outcome: { committed: sink.visible.sort(), files: visibleLines(join(directory, "out")).sort() }, faults, stops };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What readers of the sink's directory see. */
function visibleLines(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((name) => !name.startsWith(".")).flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n").filter((line) => line !== ""));
}

function planParts(random: () => number): Plan["parts"] {
  const parallelism = (): number => 1 + Math.floor(random() * 4);
  const stops = 1 + Math.floor(random() * 3);
  const parts = Array.from({ length: stops }, () => ({
    parallelism: parallelism(), stopAfterMs: Math.floor(random() * 60), claim: random() < 0.5, ...(random() < 0.4 ? { savepointAfterMs: Math.floor(random() * 60) } : {}),
  }));
  return [...parts, { parallelism: parallelism(), claim: random() < 0.5 }];
}

async function check(shape: string, seed: number): Promise<number> {
  const random = seededRandom(seed ^ 0x2545f491);
  const whole = await run(shape, seed, { faults: [], parts: [{ parallelism: 1 + Math.floor(random() * 3) }] });
  assert.ok(whole.outcome.committed.length > 0, "the job has no results");
  const parts = planParts(random);
  const faults = random() < 0.4 ? planFaults(random, whole.faults.visits) : [];
  try {
    const { outcome, stops } = await run(shape, seed, { faults, parts });
    assert.deepEqual(outcome, whole.outcome);
    return stops;
  } catch (error) {
    const failures = faults.map(({ place, at }) => `${place} (visit ${at})`).join(", ");
    throw new Error(`seed ${seed}, parts ${JSON.stringify(parts)}${failures === "" ? "" : `, with failures at ${failures}`}`, { cause: error });
  }
}

for (const shape of Object.keys(shapes)) {
  test(`${shape}: stopped and restored, the output is that of one run`, async (context) => {
    const seeds = ONLY === undefined ? Array.from({ length: RUNS }, (_, i) => i + 1) : [Number(ONLY)];
    const failures: unknown[] = [];
    let stops = 0;
    for (const seed of seeds) {
      try {
        stops += await check(shape, seed);
      } catch (error) {
        failures.push(error);
        if (ONLY !== undefined) context.diagnostic(inspect((error as Error).cause, { depth: 6 }));
      }
    }
    context.diagnostic(`${seeds.length} seeds, ${stops} stops`);
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} of ${seeds.length} seeds: ${failures.map((failure) => (failure as Error).message).join("; ")}`, { cause: (failures[0] as Error).cause });
    if (ONLY === undefined) assert.ok(stops > seeds.length / 2, `${stops} stops in ${seeds.length} runs`);
  });
}
