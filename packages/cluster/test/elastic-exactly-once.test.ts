import assert from "node:assert/strict";
import { test } from "node:test";
import { ValueStateDescriptor, WatermarkStrategy, TumblingEventTimeWindows } from "@millrace/core";
import type { Collector, KeyedProcessContext, KeyedProcessFunction, RuntimeContext, ValueState } from "@millrace/core";
import { DataGeneratorSource, RateLimiterStrategy, StreamExecutionEnvironment } from "@millrace/datastream";
import { installExecutor, translate, type Pipeline, type PipelineExecutor } from "@millrace/graph";
import { TransactionalSink, VirtualTime } from "@millrace/testkit";
import { JobMaster, type AllocatedSlots, type SlotRequest } from "../src/index.js";
import { LocalJobClient } from "../src/job-master/local-job-client.js";
import { InThreadSlots } from "../src/in-thread/in-thread-slots.js";

/*
 * Invariant: however the slots of a job come and go, and whatever it is told to be as wide as, it commits what one task without failures would have.
 * SEED=n runs one seed; SEEDS=n changes their number.
 */
const RECORDS = 150;
const KEYS = 7;
const MOST_SLOTS = 4;

/** One real slot in this thread that counts for as many as the test says. Fewer of them than the job has make it lose one. */
class CountedSlots extends InThreadSlots {
  readonly #watchers = new Set<() => void>();
  #available: number;
  #used: { readonly request: SlotRequest; readonly width: number } | undefined;

  constructor(time: VirtualTime, pipeline: Pipeline, available: number) {
    super(time.env, pipeline.graph, { roundTripEdges: true });
    this.#available = available;
  }
  availableSlots(): number {
    return this.#available;
  }
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }
  override async allocate(request: SlotRequest): Promise<AllocatedSlots> {
    const width = Math.max(...request.jobGraph.vertices.map(({ parallelism }) => parallelism));
    assert.ok(width <= this.#available, `${width} slots were taken of ${this.#available}`);
    const allocated = await super.allocate(request);
    const used = { request, width };
    this.#used = used;
    return {
      ...allocated,
      release: () => {
        if (this.#used === used) this.#used = undefined;
        return allocated.release();
      },
    };
  }
  set(available: number): void {
    this.#available = available;
    if (this.#used !== undefined && this.#used.width > available) {
      this.#used.request.onEvent(0, { type: "slotFailed", error: { name: "MillraceError", code: "TASK_MANAGER_LOST", message: "lost", recovery: "restart" } });
    }
    for (const changed of this.#watchers) changed();
  }
}

class CountPerKey implements KeyedProcessFunction<number, number, string> {
  #count!: ValueState<number>;
  open(context: RuntimeContext): void {
    this.#count = context.getState(new ValueStateDescriptor<number>("count"));
  }
  processElement(_value: number, context: KeyedProcessContext<number>, out: Collector<string>): void {
    const count = (this.#count.value() ?? 0) + 1;
    this.#count.update(count);
    out.collect(`${context.currentKey}:${count}`);
  }
}

interface Outcome {
  readonly committed: readonly string[];
  readonly restarts: number;
  readonly rescales: number;
}

async function run(seed: number): Promise<Outcome> {
  const time = new VirtualTime({ seed });
  const random = (): number => time.env.rng.next();
  const upTo = (n: number): number => Math.floor(random() * n);
  const adaptive = "jobmanager.adaptive-scheduler";
  const env = StreamExecutionEnvironment.getExecutionEnvironment({
    "execution.checkpointing.interval": 20, "execution.checkpointing.tolerable-failed-checkpoints": 1000, "jobmanager.scheduler": "adaptive",
    "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 1000, "restart-strategy.fixed-delay.delay": upTo(10),
    "scheduler-mode": random() < 0.5 ? "reactive" : "none", [`${adaptive}.executing.cooldown-after-rescaling`]: upTo(3) * 10,
    [`${adaptive}.executing.resource-stabilization-timeout`]: upTo(3) * 10, [`${adaptive}.submission.resource-stabilization-timeout`]: upTo(3) * 10,
    [`${adaptive}.rescale-trigger.active-checkpoint.enabled`]: random() < 0.5, "parallelism.default": 1 + upTo(MOST_SLOTS),
    "execution.checkpointing.incremental": random() < 0.5,
  });
  if (random() < 0.3) env.disableOperatorChaining();
  const sink = new TransactionalSink(() => undefined);
  const watermarks = WatermarkStrategy.forMonotonousTimestamps<number>().withTimestampAssigner((value) => value);
  const numbers = env.fromSource(new DataGeneratorSource((index: number) => index, RECORDS, RateLimiterStrategy.perSecond(1000)), watermarks, "numbers");
  const keyed = numbers.map((value) => value).keyBy((value) => value % KEYS);
  keyed.process(CountPerKey).union(keyed.window(TumblingEventTimeWindows.of(50)).reduce((a, b) => a + b).map((sum) => `window ${sum}`)).sinkTo(sink);
  let master!: JobMaster;
  let slots!: CountedSlots;
  const executor: PipelineExecutor = {
    configOverrides: {},
    execute: async (pipeline) => {
      const jobGraph = translate(pipeline, { jobId: "0".repeat(32) });
      slots = new CountedSlots(time, pipeline, upTo(MOST_SLOTS + 1));
      master = new JobMaster({ env: time.env, jobGraph, slots, checkpointDirectory: "/checkpoints", temporaryDirectory: "/tmp/job" });
      master.start();
      return new LocalJobClient(jobGraph.jobId, master);
    },
  };
  installExecutor(executor);
  const client = await env.executeAsync("elastic");
  for (let at = 0, change = 0; change < 12; change++) {
    at += upTo(30);
    time.clock.setTimer(at, () => {
      if (["FINISHED", "FAILED"].includes(master.status)) return;
      const choice = random();
      if (choice < 0.6) slots.set(change > 9 ? MOST_SLOTS : upTo(MOST_SLOTS + 1));
      else if (choice < 0.8) master.injectFailure(new Error("fault"));
      else {
        const upperBound = 1 + upTo(MOST_SLOTS);
        void master.updateRequirements(Object.fromEntries(master.jobGraph.vertices.map(({ id, nonParallel }) => [id, { lowerBound: 1, upperBound: nonParallel === true ? 1 : random() < 0.8 ? upperBound : 1 + upTo(MOST_SLOTS) }])));
      }
    });
  }
  time.clock.setTimer(500, () => slots.set(MOST_SLOTS));
  await time.runUntil(client.getJobExecutionResult());
  const { restarts, rescales } = master.metrics();
  return { committed: [...sink.visible].sort(), restarts, rescales };
}

/** What one task does, in order. */
function oracle(): readonly string[] {
  const counts = new Map<number, number>();
  const windows = new Map<string, number>();
  const out: string[] = [];
  for (let value = 0; value < RECORDS; value++) {
    const key = value % KEYS;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    out.push(`${key}:${counts.get(key)}`);
    const window = `${key}/${Math.floor(value / 50)}`;
    windows.set(window, (windows.get(window) ?? 0) + value);
  }
  return [...out, ...[...windows.values()].map((sum) => `window ${sum}`)].sort();
}

test("output is exactly that of one task, however slots come and go", async () => {
  const only = process.env["SEED"];
  const seeds = only === undefined ? Array.from({ length: Number(process.env["SEEDS"] ?? 40) }, (_, i) => i + 1) : [Number(only)];
  const expected = oracle();
  let rescales = 0;
  let restarts = 0;
  for (const seed of seeds) {
    try {
      const outcome = await run(seed);
      assert.deepEqual(outcome.committed, expected);
      rescales += outcome.rescales;
      restarts += outcome.restarts;
    } catch (error) {
      throw new Error(`seed ${seed} (run it alone with SEED=${seed})`, { cause: error });
    }
  }
  if (only === undefined) assert.ok(rescales > seeds.length / 2 && restarts > seeds.length / 2, `${rescales} rescales and ${restarts} restarts in ${seeds.length} runs: nothing happens`);
});
