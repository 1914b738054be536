import assert from "node:assert/strict";
import { test } from "node:test";
import { ValueStateDescriptor, WatermarkStrategy, TumblingEventTimeWindows } from "@millrace/core";
import type { CheckpointedFunction, Collector, KeyedProcessFunction, KeyedProcessContext, RuntimeContext, ValueState } from "@millrace/core";
import { DataGeneratorSource, RateLimiterStrategy } from "@millrace/datastream";
import { TransactionalSink, VirtualTimeEnvironment } from "@millrace/testkit";

/*
 * Invariant: whatever fails, and however often, what a job makes visible (collected results, committed transactions) is what it makes visible
 * without failures. SEED=n runs one seed; SEEDS=n changes their number.
 */
const RECORDS = 200;
/** A second source ends long before the first: later checkpoints are taken, and restored, with finished tasks. */
const SHORT_RECORDS = 40;
const KEYS = 5;
const PLACES = ["map", "count", "snapshot", "write", "flush", "prepareCommit", "before commit", "after commit", "master"] as const;

/** Throws at the `at`-th visit of one place, up to `times` times. */
class Faults {
  readonly place: string;
  thrown = 0;
  #visits = 0;
  #nextAt: number;
  readonly #random: () => number;
  readonly #times: number;

  constructor(random: () => number, enabled: boolean) {
    this.#random = random;
    this.place = PLACES[Math.floor(random() * PLACES.length)]!;
    this.#times = enabled ? 1 + Math.floor(random() * 3) : 0;
    this.#nextAt = this.#gap();
  }

  readonly visit = (place: string): void => {
    if (place !== this.place || this.thrown >= this.#times || ++this.#visits < this.#nextAt) return;
    this.thrown++;
    this.#nextAt = this.#visits + this.#gap();
    throw new Error(`fault ${this.thrown} in ${place}`);
  };

  #gap(): number {
    const rare = ["map", "count", "write"].includes(this.place);
    return 1 + Math.floor(this.#random() * (rare ? RECORDS : 6));
  }
}

class CountPerKey implements KeyedProcessFunction<number, number, string>, CheckpointedFunction {
  readonly #visit: (place: string) => void;
  #count!: ValueState<number>;

  constructor(visit: (place: string) => void) {
    this.#visit = visit;
  }
  open(context: RuntimeContext): void {
    this.#count = context.getState(new ValueStateDescriptor<number>("count"));
  }
  initializeState(): void {}
  snapshotState(): void {
    this.#visit("snapshot");
  }
  processElement(value: number, context: KeyedProcessContext<number>, out: Collector<string>): void {
    const count = (this.#count.value() ?? 0) + 1;
    this.#count.update(count);
    this.#visit("count");
    out.collect(`${context.currentKey}:${count}`);
    void value;
  }
}

interface Outcome {
  readonly collected: readonly string[];
  readonly committed: readonly string[];
  readonly windows: readonly string[];
  readonly short: readonly string[];
  readonly restarts: number;
  readonly faults: number;
}

async function run(seed: number, withFaults: boolean): Promise<Outcome> {
  const virtual = new VirtualTimeEnvironment({
    seed, config: {
      "execution.checkpointing.interval": 20, "execution.checkpointing.tolerable-failed-checkpoints": 1000,
      "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 1000, "restart-strategy.fixed-delay.delay": 5,
    },
  });
  const random = (): number => virtual.time.env.rng.next();
  const faults = new Faults(random, withFaults);
  const sink = new TransactionalSink(faults.visit);
  const source = new DataGeneratorSource((index: number) => index, RECORDS, RateLimiterStrategy.perSecond(1000));
  const { env } = virtual;
  env.setParallelism(1 + Math.floor(random() * 3));
  if (random() < 0.3) env.disableOperatorChaining();
  const watermarks = WatermarkStrategy.forMonotonousTimestamps<number>().withTimestampAssigner((value) => value);
  const short = env.fromSource(new DataGeneratorSource((index: number) => index, SHORT_RECORDS, RateLimiterStrategy.perSecond(1000)), watermarks, "short");
  const shortCounted = short.keyBy((value) => value % KEYS).process(() => new CountPerKey(faults.visit)).map((value) => `short ${value}`);
  const mapped = env.fromSource(source, watermarks, "numbers").union(short).map((value) => {
    faults.visit("map");
    return value;
  });
  const counted = mapped.keyBy((value) => value % KEYS).process(() => new CountPerKey(faults.visit));
  counted.sinkTo(sink);
  const windowed = mapped.keyBy((value) => value % KEYS).window(TumblingEventTimeWindows.of(50))
    .reduce((a, b) => a + b).map((sum) => `window ${sum}`);
  if (withFaults && faults.place === "master") {
    for (let i = 0; i < 3; i++) virtual.time.clock.setTimer(random() * 250, () => virtual.job.injectFailure(new Error("fault in the JobMaster")));
  }
  const all = await virtual.executeAndCollect(counted.union(windowed, shortCounted));
  const starting = (prefix: string): string[] => all.filter((value) => value.startsWith(prefix)).sort();
  return {
    collected: all.filter((value) => !/^(window|short)/.test(value)).sort(), committed: [...sink.visible].sort(), windows: starting("window"), short: starting("short"),
    restarts: virtual.job.metrics().restarts, faults: faults.thrown,
  };
}

function expectedCounts(records: number, prefix = ""): string[] {
  return Array.from({ length: KEYS }, (_, key) => Array.from({ length: records / KEYS }, (_, count) => `${prefix}${key}:${count + 1}`)).flat().sort();
}
function expectedWindows(): string[] {
  const sums = new Map<string, number>();
  for (let i = 0; i < RECORDS + SHORT_RECORDS; i++) {
    const value = i % RECORDS;
    const window = `${value % KEYS}/${Math.floor(value / 50)}`;
    sums.set(window, (sums.get(window) ?? 0) + value);
  }
  return [...sums.values()].map((sum) => `window ${sum}`).sort();
}

test("output is exactly that of a run without failures, whatever fails", async () => {
  const only = process.env["SEED"];
  const seeds = only === undefined ? Array.from({ length: Number(process.env["SEEDS"] ?? 200) }, (_, i) => i + 1) : [Number(only)];
  let restarts = 0;
  const places = new Set<number>();
  for (const seed of seeds) {
    try {
      const outcome = await run(seed, true);
      assert.deepEqual(outcome.collected, expectedCounts(RECORDS + SHORT_RECORDS));
      assert.deepEqual(outcome.committed, expectedCounts(RECORDS + SHORT_RECORDS));
      assert.deepEqual(outcome.short, expectedCounts(SHORT_RECORDS, "short "));
      assert.deepEqual(outcome.windows, expectedWindows());
      restarts += outcome.restarts;
      if (outcome.faults > 0) places.add(seed);
    } catch (error) {
      throw new Error(`seed ${seed} (run it alone with SEED=${seed})`, { cause: error });
    }
  }
  if (only === undefined) assert.ok(restarts > seeds.length / 2 && places.size > seeds.length / 4, `${restarts} restarts in ${seeds.length} runs: the faults do not hit`);
});
