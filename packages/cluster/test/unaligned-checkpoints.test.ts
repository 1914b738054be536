import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sink } from "@millrace/core";
import { ValueStateDescriptor, WatermarkStrategy, type KeyedProcessContext, type RuntimeContext, type ValueState, type Collector } from "@millrace/core";
import { DataGeneratorSource } from "@millrace/datastream";
import { VirtualTimeEnvironment } from "@millrace/testkit";

const RECORDS = 4000;
const BATCH = 8;
const CREDITS = 4;
/** Fewer than wait before the sink, so that a barrier behind them does not arrive. */
const FEW = 2 * BATCH;

/** A sink that writes only what the test allows. */
class Gate implements Sink<string> {
  readonly written: string[] = [];
  #permits = 0;
  #waiting: (() => void) | undefined;

  createWriter() {
    return { write: (text: string) => this.#write(text), flush: () => undefined, close: () => undefined };
  }

  allow(records: number): void {
    this.#permits += records;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  #write(text: string): void | Promise<void> {
    if (this.#permits-- > 0) return void this.written.push(text);
    this.#permits = 0;
    return new Promise<void>((resolve) => {
      this.#waiting = resolve;
    }).then(() => this.#write(text));
  }
}

class CountPerKey {
  #count!: ValueState<number>;
  open(context: RuntimeContext): void {
    this.#count = context.getState(new ValueStateDescriptor<number>("count"));
  }
  processElement(_value: number, context: KeyedProcessContext<number>, out: Collector<string>): void {
    const count = (this.#count.value() ?? 0) + 1;
    this.#count.update(count);
    out.collect(`${context.currentKey} ${count}`);
  }
}

interface BackPressured {
  readonly virtual: VirtualTimeEnvironment;
  readonly gate: Gate;
}

/** A job whose sink is shut, run until nothing in it can move any more. */
async function backPressured(separateSlots: boolean, config: Record<string, unknown>): Promise<BackPressured> {
  const virtual = new VirtualTimeEnvironment({
    separateSlots,
    config: {
      "execution.checkpointing.interval": "1 h", "parallelism.default": 2, "taskmanager.network.batch-size": BATCH, "taskmanager.network.memory.buffers-per-channel": CREDITS,
      ...config,
    },
  });
  const gate = new Gate();
  virtual.env.fromSource(new DataGeneratorSource((index) => index, RECORDS), WatermarkStrategy.noWatermarks(), "numbers")
    .rebalance().map((value) => value * 3).keyBy((value) => value % 7).process(CountPerKey).rebalance().sinkTo(gate).setParallelism(1);
  await virtual.submit();
  await virtual.advance(1000);
  return { virtual, gate };
}

/** Starts a checkpoint, and lets its barriers go as far as they can. */
async function trigger({ virtual }: BackPressured): Promise<{ done: boolean }> {
  const state = { done: false };
  virtual.job.triggerCheckpoint().then(() => (state.done = true), () => undefined);
  await virtual.advance(100);
  return state;
}

async function finish({ virtual, gate }: BackPressured): Promise<void> {
  gate.allow(RECORDS);
  await virtual.advance(10_000);
  assert.equal(virtual.job.metrics().status, "FINISHED");
  assert.equal(new Set(gate.written).size, RECORDS);
}

for (const separateSlots of [false, true]) {
  const where = separateSlots ? "between slots" : "in one slot";

  test(`under back-pressure an aligned checkpoint waits for the records before its barrier, ${where}`, async () => {
    const job = await backPressured(separateSlots, {});
    const checkpoint = await trigger(job);
    job.gate.allow(FEW);
    await job.virtual.advance(60_000);
    assert.equal(checkpoint.done, false);
    job.gate.allow(RECORDS);
    await job.virtual.advance(1000);
    assert.equal(checkpoint.done, true);
    const [taken] = job.virtual.job.view().checkpoints.history;
    assert.equal(taken!.tasks.some((task) => task.acknowledged.some(({ unaligned, persistedBytes }) => unaligned || persistedBytes > 0)), false);
  });

  test(`under back-pressure an unaligned checkpoint does not, ${where}`, async () => {
    const job = await backPressured(separateSlots, { "execution.checkpointing.unaligned.enabled": true });
    const checkpoint = await trigger(job);
    job.gate.allow(FEW);
    await job.virtual.advance(1000);
    assert.equal(checkpoint.done, true);
    assert.ok(job.gate.written.length < 2 * FEW, `${job.gate.written.length} records were written`);
    const taken = job.virtual.job.view().checkpoints.latest.completed!;
    assert.ok(taken.tasks.every((task) => task.acknowledged.every(({ unaligned }) => unaligned)));
    assert.ok(taken.tasks.flatMap((task) => task.acknowledged).reduce((sum, { persistedBytes }) => sum + persistedBytes, 0) > 0);
    // Another one, while everything still waits.
    const second = await trigger(job);
    job.gate.allow(FEW);
    await job.virtual.advance(1000);
    assert.equal(second.done, true);
    await finish(job);
  });

  test(`a checkpoint that is aligned at first overtakes after the timeout, ${where}`, async () => {
    const job = await backPressured(separateSlots, { "execution.checkpointing.unaligned.enabled": true, "execution.checkpointing.aligned-checkpoint-timeout": "30 s" });
    const checkpoint = await trigger(job);
    job.gate.allow(FEW);
    await job.virtual.advance(29_000);
    assert.equal(checkpoint.done, false);
    await job.virtual.advance(2000);
    job.gate.allow(FEW);
    await job.virtual.advance(1000);
    assert.equal(checkpoint.done, true);
    const taken = job.virtual.job.view().checkpoints.latest.completed!;
    assert.ok(taken.tasks.some((task) => task.acknowledged.some(({ unaligned }) => unaligned)));
    await finish(job);
    // Without back-pressure the timeout does not come.
    assert.equal(job.virtual.job.view().checkpoints.history.filter((one) => one.tasks.some((task) => task.acknowledged.some(({ unaligned }) => unaligned))).length, 1);
  });
}
