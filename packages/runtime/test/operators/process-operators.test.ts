import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ListStateDescriptor, MapStateDescriptor, MAX_WATERMARK, NO_TIMESTAMP, OutputTag, ValueStateDescriptor,
  type Collector, type KeyedBroadcastContext, type KeyedBroadcastProcessFunction, type KeyedProcessContext, type KeyedProcessFunction, type KeyedReadOnlyBroadcastContext,
  type OnTimerContext, type OperatorListState, type ProcessContext, type ProcessFunction, type RuntimeContext, type StateInitializationContext,
} from "@millrace/core";
import { KeyedOneInputHarness, KeyedTwoInputHarness, OneInputHarness } from "@millrace/testkit";

const even = new OutputTag<number>("even");

test("a process function sees time stamp and watermark, and writes to side outputs", async () => {
  class Split implements ProcessFunction<number, unknown> {
    processElement(value: number, context: ProcessContext, out: Collector<unknown>): undefined {
      if (value % 2 === 0) context.output(even, value);
      else out.collect([value, context.timestamp, context.timerService.currentWatermark()]);
    }
  }
  const harness = await OneInputHarness.open<number, unknown>({ type: "process", fn: Split });
  harness.processWatermark(5);
  harness.processElement(1, 10);
  harness.processElement(2, 11);
  harness.processElement(3);
  assert.deepEqual(harness.output, [{ value: [1, 10, 5], timestampMs: 10 }, { value: [3, undefined, 5], timestampMs: NO_TIMESTAMP }]);
  assert.deepEqual(harness.sideOutput(even), [{ value: 2, timestampMs: 11 }]);
});

test("timers and the current key need a keyed stream", async () => {
  const use = (fn: (context: any) => void) => OneInputHarness.open({ type: "process", fn: () => ({ processElement: (_: unknown, context: unknown) => fn(context) as undefined }) });
  const timers = await use((context) => context.timerService.registerEventTimeTimer(1));
  assert.throws(() => timers.processElement(1), { code: "TIMER_NOT_KEYED" });
  const key = await use((context) => context.currentKey);
  assert.throws(() => key.processElement(1), { code: "STATE_NOT_KEYED" });
});

const count = new ValueStateDescriptor<number>("count");

/** Counts per key; a timer one second after each record reports the count. */
class CountWithTimeout implements KeyedProcessFunction<string, string, string> {
  #runtime!: RuntimeContext;
  open(runtime: RuntimeContext): void {
    this.#runtime = runtime;
  }
  processElement(_value: string, context: KeyedProcessContext<string>): undefined {
    const state = this.#runtime.getState(count);
    state.update((state.value() ?? 0) + 1);
    context.timerService.registerEventTimeTimer(context.timestamp! + 1000);
    context.timerService.registerProcessingTimeTimer(500);
  }
  onTimer(timestampMs: number, context: OnTimerContext<string>, out: Collector<string>): undefined {
    out.collect(`${context.timeDomain} ${context.currentKey} ${timestampMs} ${this.#runtime.getState(count).value()}`);
  }
}

test("state and timers are per key, and survive a restore between any two elements", async () => {
  const spec = { type: "keyedProcess", fn: CountWithTimeout } as const;
  const key = (value: string): string => value;
  let harness = await KeyedOneInputHarness.open<string, string>(spec, { key });
  const outputs: unknown[] = [];
  for (const [value, time] of [["a", 1], ["b", 2], ["a", 3]] as const) {
    harness.processElement(value, time);
    outputs.push(...harness.takeOutput());
    harness = await KeyedOneInputHarness.open<string, string>(spec, { key, restore: await harness.snapshot() });
  }
  harness.setProcessingTime(500);
  harness.processWatermark(1002);
  outputs.push(...harness.takeOutput());
  assert.deepEqual(outputs, [
    { value: "processing-time a 500 2", timestampMs: NO_TIMESTAMP }, { value: "processing-time b 500 1", timestampMs: NO_TIMESTAMP },
    { value: "event-time a 1001 2", timestampMs: 1001 }, { value: "event-time b 1002 1", timestampMs: 1002 },
  ]);
});

test("a function is opened, snapshotted, notified and closed", async () => {
  const calls: string[] = [];
  class Buffering implements ProcessFunction<number, number> {
    #state!: OperatorListState<number>;
    #buffer: number[] = [];
    initializeState(context: StateInitializationContext): void {
      this.#state = context.operatorState.getListState(new ListStateDescriptor<number>("buffer"));
      this.#buffer = [...this.#state.get()];
      calls.push(`initialize ${this.#buffer.join()}`);
    }
    async open(): Promise<void> {
      calls.push("open");
    }
    processElement(value: number): undefined {
      this.#buffer.push(value);
    }
    snapshotState(): void {
      this.#state.update(this.#buffer);
      calls.push("snapshot");
    }
    notifyCheckpointComplete(id: number): void {
      calls.push(`complete ${id}`);
    }
    close(): void {
      calls.push("close");
    }
  }
  const harness = await OneInputHarness.open<number, number>({ type: "process", fn: Buffering });
  harness.processElement(1);
  harness.processElement(2);
  const snapshot = await harness.snapshot();
  await harness.notifyCheckpointComplete(snapshot.checkpointId);
  await harness.close();
  await OneInputHarness.open<number, number>({ type: "process", fn: Buffering }, { restore: snapshot });
  assert.deepEqual(calls, ["initialize ", "open", "snapshot", "complete 1", "close", "initialize 1,2", "open"]);
});

test("a rolling reduce emits every accumulator; in batch mode one per key, resumably, at the end", async () => {
  const spec = { type: "keyedReduce", fn: (a: number[], b: number[]) => [a[0]!, a[1]! + b[1]!] } as const;
  const key = (value: number[]): number => value[0]!;
  const streaming = await KeyedOneInputHarness.open<number[], number[]>(spec, { key });
  for (const value of [[1, 1], [2, 5], [1, 2]]) streaming.processElement(value, value[1]);
  assert.deepEqual(streaming.values, [[1, 1], [2, 5], [1, 3]]);

  const batch = await KeyedOneInputHarness.open<number[], number[]>(spec, { key, runtimeMode: "BATCH" });
  for (let i = 0; i < 100; i++) batch.processElement([i % 10, i], i);
  batch.blockAfter(4);
  assert.equal(batch.processWatermark(MAX_WATERMARK), false);
  assert.equal(batch.values.length, 4);
  batch.unblock();
  assert.equal(batch.resume(), true);
  await batch.finish();
  assert.deepEqual(batch.values.map(([k, sum]) => [k, sum]).sort(), Array.from({ length: 10 }, (_, k) => [k, 450 + 10 * k]));
  assert.deepEqual(batch.elements.at(-1), { kind: "watermark", timestampMs: MAX_WATERMARK });
});

test("broadcast state is read-only for keyed elements, and only declared states exist", async () => {
  const rules = new MapStateDescriptor<string, number>("rules");
  class Thresholds implements KeyedBroadcastProcessFunction<string, string, string, unknown> {
    processElement(value: string, context: KeyedReadOnlyBroadcastContext<string>, out: Collector<unknown>): undefined {
      const state = context.getBroadcastState(rules) as { put?: unknown };
      assert.equal(state.put, undefined);
      out.collect([context.currentKey, [...context.getBroadcastState(rules).entries()]]);
      if (value === "typo") context.getBroadcastState(new MapStateDescriptor("rulse"));
    }
    processBroadcastElement(value: string, context: KeyedBroadcastContext<string>): undefined {
      context.getBroadcastState(rules).put(value, value.length);
      if (value === "timer") context.timerService.registerEventTimeTimer(1);
    }
  }
  const spec = { type: "keyedBroadcastProcess", fn: Thresholds, descriptors: [rules] } as const;
  const options = { key1: (value: string) => value };
  const harness = await KeyedTwoInputHarness.open<string, string, unknown>(spec, options);
  harness.processElement2("abc");
  const restored = await KeyedTwoInputHarness.open<string, string, unknown>(spec, { ...options, restore: await harness.snapshot() });
  restored.processElement1("k");
  assert.deepEqual(restored.values, [["k", [["abc", 3]]]]);
  assert.throws(() => restored.processElement1("typo"), { code: "BROADCAST_STATE_UNKNOWN", hint: 'did you mean "rules"?' });
  assert.throws(() => restored.processElement2("timer"), { code: "TIMER_NOT_KEYED" });
});
