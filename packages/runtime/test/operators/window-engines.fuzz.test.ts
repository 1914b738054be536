// Invariant: whatever the input, the special engines emit in every step the same records (as a multiset) as the general window operator, and drop
// the same late records; and neither does it matter where a snapshot is taken, whether the job is rescaled there, where an emission pauses,
// or whether records come in batches.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  commutative, CumulatingEventTimeWindows, EventTimeSessionWindows, keyGroupOf, keyHash, MAX_WATERMARK, OutputTag, operatorIndexForKeyGroup, SlidingEventTimeWindows,
  TumblingEventTimeWindows, type WindowAssigner,
} from "@millrace/core";
import type { WindowSpec } from "@millrace/graph";
import type { HarnessSnapshot, OneInputHarness } from "@millrace/testkit";
import type { WindowEngine } from "../../src/operators/window/create-window-operator.js";
import { openWindow, sumInPlace, type Event } from "./support/windows.js";

const late = new OutputTag<Event>("late");
type Step = { readonly kind: "record"; readonly key: string; readonly time: number; readonly value: number } | { readonly kind: "watermark"; readonly time: number };

/** Steps, with watermarks made to increase. */
function scripts(keys: number, maxLength: number, lastMs: number): fc.Arbitrary<Step[]> {
  const record = fc.record({
    kind: fc.constant("record" as const), key: fc.integer({ min: 1, max: keys }).map((key) => `k${key}`), time: fc.integer({ min: -20, max: lastMs }),
    value: fc.integer({ min: 1, max: 1000 }),
  });
  const watermark = fc.record({ kind: fc.constant("watermark" as const), time: fc.integer({ min: -20, max: lastMs }) });
  const step: fc.Arbitrary<Step> = fc.oneof({ weight: 5, arbitrary: record }, { weight: 1, arbitrary: watermark });
  return fc.array(step, { maxLength, size: "max" }).map((steps) => {
    let last = Number.NEGATIVE_INFINITY;
    return [...steps, { kind: "watermark", time: MAX_WATERMARK } as const].filter((one) => {
      if (one.kind === "record") return true;
      const advances = one.time > last;
      last = Math.max(last, one.time);
      return advances;
    });
  });
}

const aligned = fc.oneof(
  fc.record({ size: fc.integer({ min: 1, max: 40 }), offset: fc.integer({ min: 0, max: 100 }) }).map(({ size, offset }) => TumblingEventTimeWindows.of(size, offset % size)),
  fc.record({ size: fc.integer({ min: 1, max: 40 }), slide: fc.integer({ min: 1, max: 40 }), offset: fc.integer({ min: 0, max: 100 }) })
    .map(({ size, slide, offset }) => SlidingEventTimeWindows.of(size, slide, offset % slide)),
  fc.record({ steps: fc.integer({ min: 1, max: 6 }), step: fc.integer({ min: 1, max: 10 }), offset: fc.integer({ min: 0, max: 100 }) })
    .map((p) => CumulatingEventTimeWindows.of(p.steps * p.step, p.step, p.offset % (p.steps * p.step))),
);
const sessions = fc.integer({ min: 1, max: 40 }).map((gap) => EventTimeSessionWindows.withGap(gap));
const lateness = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 }));

const functions: fc.Arbitrary<Pick<WindowSpec, "reduce" | "aggregate">> = fc.constantFrom(
  { aggregate: sumInPlace },
  { reduce: commutative<Event>((a, b) => ({ key: a.key, value: a.value + b.value })) },
  // In order of arrival: only engines that keep it may run this.
  { reduce: (a: Event, b: Event) => ({ key: a.key, value: (a.value * 31 + b.value) % 100_003 }) },
);

function enginesFor(assigner: WindowAssigner<any, any>, spec: Pick<WindowSpec, "reduce" | "aggregate">): WindowEngine[] {
  const sliced = assigner.sliced;
  if (sliced === undefined) return ["session"];
  const ordered = spec.reduce !== undefined && Object.getOwnPropertySymbols(spec.reduce).length === 0;
  return ordered || sliced.slideMs > sliced.sizeMs ? ["direct"] : ["direct", "shared"];
}

const named = (spec: WindowSpec): WindowSpec => ({
  ...spec,
  fn: { kind: "plain", fn: (key, window, [only], out) => out.collect([key, window.startMs, window.endMs, only]) as undefined },
});

type Harness = OneInputHarness<Event, unknown>;

function take(harness: Harness): string[] {
  return harness.takeOutput().map((record) => JSON.stringify(record)).sort();
}

/** What came out of every step, and the late records. */
async function run(spec: WindowSpec, engine: WindowEngine, steps: readonly Step[]): Promise<{ readonly outputs: string[][]; readonly late: string }> {
  const harness = await openWindow<unknown>(spec, engine);
  const outputs: string[][] = [];
  for (const one of steps) {
    if (one.kind === "record") harness.processElement(one, one.time);
    else harness.processWatermark(one.time);
    outputs.push(take(harness));
  }
  assert.equal(harness.keyCount + harness.eventTimeTimerCount, 0);
  return { outputs, late: JSON.stringify(harness.sideOutput(late)) };
}

const parameters = { numRuns: Number(process.env["FUZZ_RUNS"] ?? 60) } as const;

for (const [name, assigners] of [["aligned windows", aligned], ["sessions", sessions]] as const) {
  test(`${name}: every engine emits what the general one does`, async () => {
    await fc.assert(
      fc.asyncProperty(assigners, functions, lateness, fc.boolean(), scripts(5, 60, 160), async (assigner: WindowAssigner<any, any>, fns, allowedLatenessMs, withFunction, steps) => {
        if (assigner.sliced === undefined && fns.reduce !== undefined && enginesFor(TumblingEventTimeWindows.of(1), fns).length === 1) return;
        const plain: WindowSpec = { type: "window", keyed: true, assigner, allowedLatenessMs, lateTag: late, ...fns };
        const spec = withFunction ? named(plain) : plain;
        const expected = await run(spec, "general", steps);
        for (const engine of enginesFor(assigner, fns)) assert.deepEqual(await run(spec, engine, steps), expected, engine);
      }),
      parameters,
    );
  });
}

test("sessions of many keys: both engines emit the same", async () => {
  await fc.assert(
    fc.asyncProperty(sessions, lateness, scripts(1500, 4000, 300), async (assigner, allowedLatenessMs, steps) => {
      const spec = named({ type: "window", keyed: true, assigner, allowedLatenessMs, lateTag: late, aggregate: sumInPlace });
      assert.deepEqual(await run(spec, "session", steps), await run(spec, "general", steps));
    }),
    { numRuns: Math.ceil(parameters.numRuns / 20) },
  );
});

const MAX_PARALLELISM = 16;

class Job {
  readonly #spec: WindowSpec;
  readonly #engine: WindowEngine;
  readonly #batchSize: number;
  readonly outputs: string[] = [];
  #subtasks: Harness[] = [];

  constructor(spec: WindowSpec, engine: WindowEngine, batchSize: number = 0) {
    this.#spec = spec;
    this.#engine = engine;
    this.#batchSize = batchSize;
  }

  async start(parallelism: number, restore: readonly HarnessSnapshot[]): Promise<void> {
    const options = { parallelism, maxParallelism: MAX_PARALLELISM, restore };
    this.#subtasks = await Promise.all(Array.from({ length: parallelism }, (_, subtaskIndex) => openWindow<unknown>(this.#spec, this.#engine, { ...options, subtaskIndex }, this.#batchSize)));
  }

  process(one: Step): void {
    if (one.kind === "watermark") for (const subtask of this.#subtasks) subtask.processWatermark(one.time);
    else {
      const index = operatorIndexForKeyGroup(MAX_PARALLELISM, this.#subtasks.length, keyGroupOf(keyHash(one.key), MAX_PARALLELISM));
      this.#subtasks[index]!.processElement(one, one.time);
    }
  }

  /** A watermark whose emissions pause after `room` records, where a snapshot is taken and restored; the paused task is lost. */
  async failWhileEmitting(one: Step, room: number, parallelism: number): Promise<void> {
    for (const subtask of this.#subtasks) subtask.blockAfter(room);
    this.process(one);
    await this.restart(parallelism);
  }

  async restart(parallelism: number): Promise<void> {
    const snapshots = await Promise.all(this.#subtasks.map((subtask) => subtask.snapshot()));
    this.#collect();
    await this.start(parallelism, snapshots);
  }

  finish(): string[] {
    this.#collect();
    return this.outputs.sort();
  }

  #collect(): void {
    for (const subtask of this.#subtasks) this.outputs.push(...take(subtask), ...subtask.sideOutput(late).map((record) => `late ${JSON.stringify(record)}`));
  }
}

test("a snapshot at any position, restored with any parallelism, changes nothing, and neither do batches", async () => {
  const failure = fc.record({ position: fc.nat(), whileEmitting: fc.boolean(), parallelism: fc.integer({ min: 1, max: 3 }), room: fc.integer({ min: 1, max: 60 }) });
  await fc.assert(
    fc.asyncProperty(fc.oneof(aligned, sessions), lateness, scripts(80, 200, 50), fc.array(failure, { minLength: 1, maxLength: 3 }), fc.constantFrom(0, 3, 64), async (assigner, allowedLatenessMs, steps, failures, batchSize) => {
      const spec = named({ type: "window", keyed: true, assigner, allowedLatenessMs, lateTag: late, aggregate: sumInPlace });
      for (const engine of ["general", ...enginesFor(assigner, spec)] as const) {
        const uninterrupted = new Job(spec, engine);
        await uninterrupted.start(1, []);
        for (const one of steps) uninterrupted.process(one);

        const interrupted = new Job(spec, engine, batchSize);
        await interrupted.start(2, []);
        const watermarks = [...steps.keys()].filter((index) => steps[index]!.kind === "watermark");
        const failing = new Map(failures.map((one) => [one.whileEmitting ? watermarks[one.position % watermarks.length]! : one.position % steps.length, one]));
        for (const [index, one] of steps.entries()) {
          const failed = failing.get(index);
          if (failed?.whileEmitting === true) await interrupted.failWhileEmitting(one, failed.room, failed.parallelism);
          else if (failed !== undefined) await interrupted.restart(failed.parallelism);
          // What paused is finished by the restored task: only the end of the input comes again.
          if (failed?.whileEmitting !== true || index === steps.length - 1) interrupted.process(one);
        }
        assert.deepEqual(interrupted.finish(), uninterrupted.finish(), engine);
      }
    }),
    parameters,
  );
});
