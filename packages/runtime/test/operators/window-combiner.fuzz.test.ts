// Invariant: whether senders add records up before they send them or not, the window operators behind them emit the same results at the same steps, whatever
// is late, whoever is idle, wherever barriers are, and whenever a sender pauses because it does not pay.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  BatchDecoder, BatchEncoder, commutative, CumulatingEventTimeWindows, MAX_WATERMARK, RecordBatch, SlidingEventTimeWindows, TumblingEventTimeWindows,
  type OneInputOperator, type OperatorContext, type Output, type WindowAssigner,
} from "@millrace/core";
import type { WindowSpec } from "@millrace/graph";
import { KeyedOneInputHarness } from "@millrace/testkit";
import { InFlightData } from "../../src/checkpoint/in-flight-data.js";
import { Barrier } from "../../src/exchange/channel-element.js";
import { OutputChannel } from "../../src/exchange/output-channel.js";
import { RecordWriter } from "../../src/exchange/record-writer.js";
import { WatermarkValve } from "../../src/input/watermark-valve.js";
import type { CombinedInput } from "../../src/operators/window/combined-input.js";
import { createWindowOperator } from "../../src/operators/window/create-window-operator.js";
import { mayCombine, WindowCombiner, type CombinerLimits } from "../../src/operators/window/window-combiner.js";
import { sumInPlace, type Event } from "./support/windows.js";

const MAX_PARALLELISM = 16;
const SUBTASKS = [0, 1] as const;
const key = (event: Event): string => event.key;

type Step =
  | { readonly kind: "record"; readonly sender: number; readonly key: string; readonly time: number; readonly value: number }
  | { readonly kind: "watermark"; readonly sender: number; readonly time: number }
  | { readonly kind: "barrier" | "idle"; readonly sender: number };

/** Two senders, each with channels to two subtasks of the window operator; what is sent arrives at once. */
class Exchange {
  readonly #combine: boolean;
  readonly #spec: WindowSpec;
  readonly #batchSize: number;
  readonly #limits: CombinerLimits | undefined;
  #receivers: { readonly harness: KeyedOneInputHarness<any, unknown>; readonly valve: WatermarkValve }[] = [];
  #writers: RecordWriter[] = [];

  constructor(spec: WindowSpec, combine: boolean, batchSize: number, limits?: CombinerLimits) {
    this.#spec = spec;
    this.#combine = combine;
    this.#batchSize = batchSize;
    this.#limits = limits;
  }

  async open(): Promise<this> {
    this.#receivers = await Promise.all(SUBTASKS.map(async (subtaskIndex) => {
      const harness = await KeyedOneInputHarness.open<any, unknown>((context) => this.#operator(context), { key, parallelism: 2, maxParallelism: MAX_PARALLELISM, subtaskIndex });
      return { harness, valve: new WatermarkValve(2, { watermark: (ms) => void harness.processWatermark(ms), status: () => undefined }) };
    }));
    this.#writers = SUBTASKS.map((sender) => this.#writer(sender));
    return this;
  }

  /** A "record" with a batch is a batch that was combined. */
  #operator(context: OperatorContext): OneInputOperator {
    const operator = createWindowOperator(this.#spec, context, { runtimeMode: "STREAMING", keySelectors: [key] });
    const { processRecord } = operator;
    return Object.assign(operator, {
      processRecord(value: { readonly batch?: RecordBatch }, timestampMs: number, out: Output<unknown>): void {
        if (value.batch === undefined) processRecord.call(operator, value, timestampMs, out);
        else (operator as CombinedInput).processCombined(value.batch, 0, value.batch.count, out);
      },
    });
  }

  #writer(sender: number): RecordWriter {
    const encoder = new BatchEncoder();
    const decoder = new BatchDecoder();
    const channels = SUBTASKS.map((to) => new OutputChannel({
      writable: true, flushWanted: false, sendEvent: () => undefined,
      send: (batch: RecordBatch) => void this.#deliver(to, sender, decoder.decode(encoder.encode(batch))),
    } as never, this.#batchSize, true));
    const plan = { partitioner: { kind: "hash" as const, keySelector: key as (value: unknown) => unknown }, subtaskIndex: sender, maxParallelism: MAX_PARALLELISM, targetName: "window", random: () => 0, overtakable: false };
    return new RecordWriter(plan, channels, !this.#combine ? undefined : (channelOfKeyGroup) => new WindowCombiner({
      spec: this.#spec, keySelector: plan.partitioner.keySelector, channels, channelOfKeyGroup, maxParallelism: MAX_PARALLELISM, clock: { nowMs: () => 0, monotonicMs: () => 0 } as never,
      operatorName: "window", operatorId: "window", subtaskIndex: sender, ...(this.#limits === undefined ? {} : { limits: this.#limits }),
    }));
  }

  #deliver(to: number, sender: number, batch: RecordBatch): void {
    const { harness, valve } = this.#receivers[to]!;
    const marks = batch.marks ?? [];
    if (batch.combined) {
      assert.equal(marks.length, 0);
      harness.processElement({ key: "", batch });
      return;
    }
    for (let at = 0, mark = 0; at <= batch.count; at++) {
      for (; mark < marks.length && marks[mark]!.at === at; mark++) {
        const one = marks[mark]!;
        if (one.kind === "watermark") valve.inputWatermark(one.timestampMs, sender);
        else if (one.kind === "status") valve.inputStatus(one.idle, sender);
      }
      if (at < batch.count) harness.processElement(batch.values[at] as Event, batch.timestampsMs[at]!);
    }
  }

  /** What is emitted by a step that is taken. */
  take(step: Step): string[] {
    const writer = this.#writers[step.sender]!;
    if (step.kind === "record") writer.emit(step, step.time);
    else if (step.kind === "watermark") {
      writer.status(false);
      writer.watermark(step.time);
    } else if (step.kind === "barrier") writer.sendBarrier(new Barrier(1, 0, {}), new InFlightData());
    else writer.status(true);
    writer.flush();
    return this.#receivers.flatMap(({ harness }) => harness.takeOutput().map((record) => JSON.stringify(record))).sort();
  }
}

const sender = fc.nat(1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ kind: fc.constant("record" as const), sender, key: fc.nat(6).map((k) => `k${k}`), time: fc.integer({ min: -20, max: 200 }), value: fc.nat(1000) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("watermark" as const), sender, time: fc.integer({ min: -20, max: 200 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("barrier" as const), sender }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("idle" as const), sender }) },
);
/** Watermarks of each sender made to increase. */
const scripts = fc.array(step, { maxLength: 120, size: "max" }).map((steps) => {
  const last = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const ends = SUBTASKS.map((one): Step => ({ kind: "watermark", sender: one, time: MAX_WATERMARK }));
  return [...steps, ...ends].filter((one) => {
    if (one.kind !== "watermark") return true;
    const advances = one.time > last[one.sender]!;
    last[one.sender] = Math.max(last[one.sender]!, one.time);
    return advances;
  });
});
const assigners: fc.Arbitrary<WindowAssigner<any, any>> = fc.oneof(
  fc.integer({ min: 1, max: 40 }).map((size) => TumblingEventTimeWindows.of(size)),
  fc.record({ size: fc.integer({ min: 1, max: 40 }), slide: fc.integer({ min: 1, max: 40 }) }).map(({ size, slide }) => SlidingEventTimeWindows.of(size, slide)),
  fc.record({ steps: fc.integer({ min: 1, max: 6 }), length: fc.integer({ min: 1, max: 10 }) }).map((p) => CumulatingEventTimeWindows.of(p.steps * p.length, p.length)),
);
/** Such that a few records make it pause, and go on. */
const limits: fc.Arbitrary<CombinerLimits | undefined> = fc.option(
  fc.record({ mostEntries: fc.integer({ min: 1, max: 8 }), guessedAfter: fc.integer({ min: 1, max: 12 }), judgedAfter: fc.integer({ min: 1, max: 12 }), leastGain: fc.integer({ min: 1, max: 4 }), mostKeys: fc.integer({ min: 1, max: 20 }), rest: fc.integer({ min: 1, max: 3 }) }),
  { nil: undefined },
);
const functions: fc.Arbitrary<Pick<WindowSpec, "reduce" | "aggregate">> = fc.constantFrom(
  { aggregate: sumInPlace },
  { aggregate: { createAccumulator: () => 0, add: ({ value }: Event, sum: number) => sum + value, getResult: (sum: number) => sum, merge: (a: number, b: number) => a + b } },
  { reduce: commutative<Event>((a, b) => ({ key: a.key, value: a.value + b.value })) },
);

test("senders that add up change nothing", async () => {
  await fc.assert(
    fc.asyncProperty(assigners, functions, fc.boolean(), fc.constantFrom(2, 64), limits, scripts, async (assigner, fns, withFunction, batchSize, pauses, steps) => {
      const spec: WindowSpec = {
        type: "window", keyed: true, assigner, allowedLatenessMs: 0, ...fns,
        ...(withFunction ? { fn: { kind: "plain" as const, fn: (k: unknown, window: any, [only]: any, out: any) => out.collect([k, window.startMs, window.endMs, only]) } } : {}),
      };
      assert.ok(mayCombine(spec));
      const plain = await new Exchange(spec, false, batchSize).open();
      const combining = await new Exchange(spec, true, batchSize, pauses).open();
      for (const [at, one] of steps.entries()) assert.deepEqual(combining.take(one), plain.take(one), `step ${at}`);
    }),
    { numRuns: Number(process.env["FUZZ_RUNS"] ?? 60) },
  );
});

test("records of a key and a window reach it in the order in which each sender sent them", async () => {
  const inOrder: WindowSpec["aggregate"] = {
    createAccumulator: () => "", add: ({ sender, value }: Event & { sender: number }, all: string) => `${all} ${sender}:${value}`, getResult: (all: string) => all, merge: (a: string, b: string) => a + b,
  };
  const text = { ...inOrder, createAccumulator: () => ({ all: "" }), add: (event: never, { all }: { all: string }) => ({ all: inOrder.add(event, all as never) as string }), merge: (a: any, b: any) => ({ all: a.all + b.all }), getResult: ({ all }: any) => all };
  const bySender = (results: readonly string[]): string[] => results.map((result) => SUBTASKS.map((one) => (result.match(/\d+:\d+/g) ?? []).filter((item) => item.startsWith(`${one}:`)).join(" ")).join(" | ")).sort();
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.constantFrom(2, 64), limits, scripts, async (size, batchSize, pauses, steps) => {
      const spec: WindowSpec = { type: "window", keyed: true, assigner: TumblingEventTimeWindows.of(size), allowedLatenessMs: 0, aggregate: text as never };
      assert.ok(mayCombine(spec));
      const plain = await new Exchange(spec, false, batchSize).open();
      const combining = await new Exchange(spec, true, batchSize, pauses).open();
      for (const [at, one] of steps.entries()) assert.deepEqual(bySender(combining.take(one)), bySender(plain.take(one)), `step ${at}`);
    }),
    { numRuns: Number(process.env["FUZZ_RUNS"] ?? 60) },
  );
});

test("only windows for which no record counts by itself are combined", () => {
  const base: WindowSpec = { type: "window", keyed: true, assigner: TumblingEventTimeWindows.of(10), allowedLatenessMs: 0, aggregate: sumInPlace };
  const { merge: _merge, ...withoutMerge } = sumInPlace;
  const cases: readonly (readonly [Partial<WindowSpec>, boolean])[] = [
    [{}, true],
    [{ keyed: false }, false],
    [{ allowedLatenessMs: 1 }, false],
    [{ aggregate: withoutMerge }, false],
    [{ aggregate: { ...sumInPlace, createAccumulator: () => new Map() as never } }, false],
    [{ aggregate: { ...sumInPlace, createAccumulator: () => ({ best: undefined }) as never } }, false],
    [{ aggregate: { ...sumInPlace, createAccumulator: () => { throw new Error("not yet"); } } }, false],
    [{ assigner: TumblingEventTimeWindows.of(10, 0, "RANDOM" as never) }, false],
  ];
  for (const [change, expected] of cases) assert.equal(mayCombine({ ...base, ...change }), expected, JSON.stringify(change));
  const { aggregate: _aggregate, ...bare } = base;
  assert.equal(mayCombine({ ...bare, reduce: (a: Event) => a }), false);
});
