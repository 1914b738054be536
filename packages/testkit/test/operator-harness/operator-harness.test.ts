import assert from "node:assert/strict";
import { test } from "node:test";
import { keyGroupOf, keyHash, operatorIndexForKeyGroup, ValueStateDescriptor, type Collector, type KeyedProcessContext, type RuntimeContext } from "@millrace/core";
import { KeyedOneInputHarness, OneInputHarness, TwoInputHarness } from "../../src/operator-harness/index.js";

class Count {
  #runtime!: RuntimeContext;
  open(runtime: RuntimeContext): void {
    this.#runtime = runtime;
  }
  processElement(_value: string, context: KeyedProcessContext<string>, out: Collector<string>): undefined {
    const count = this.#runtime.getState(new ValueStateDescriptor<number>("count"));
    count.update((count.value() ?? 0) + 1);
    out.collect(`${context.currentKey}${count.value()}`);
  }
}
const spec = { type: "keyedProcess", fn: Count } as const;
const key = (value: string): string => value;

test("a snapshot restores with another parallelism: every new subtask takes its key groups", async () => {
  const keys = Array.from({ length: 40 }, (_, i) => `key${i}:`);
  const owner = (value: string, parallelism: number): number => operatorIndexForKeyGroup(128, parallelism, keyGroupOf(keyHash(value), 128));
  const open = (parallelism: number, restore: any) =>
    Promise.all(Array.from({ length: parallelism }, (_, subtaskIndex) => KeyedOneInputHarness.open<string, string>(spec, { key, subtaskIndex, parallelism, restore })));
  let subtasks = await open(1, []);
  for (const parallelism of [3, 2, 5]) {
    for (const value of keys) subtasks[owner(value, subtasks.length)]!.processElement(value);
    subtasks = await open(parallelism, await Promise.all(subtasks.map((subtask) => subtask.snapshot())));
  }
  assert.equal(subtasks.reduce((sum, subtask) => sum + subtask.keyCount, 0), keys.length);
  for (const value of keys) {
    const subtask = subtasks[owner(value, 5)]!;
    subtask.processElement(value);
    assert.equal(subtask.values.at(-1), `${value}4`);
  }
  assert.throws(() => subtasks[owner(keys[0]!, 5) === 0 ? 1 : 0]!.processElement(keys[0]!), { code: "KEY_GROUP_MISROUTED" });
});

test("a snapshot is a copy: the harness it was taken from may go on", async () => {
  const harness = await KeyedOneInputHarness.open<string, string>(spec, { key });
  harness.processElement("a");
  const snapshot = await harness.snapshot();
  harness.processElement("a");
  for (let i = 0; i < 2; i++) {
    const restored = await KeyedOneInputHarness.open<string, string>(spec, { key, restore: snapshot });
    restored.processElement("a");
    assert.deepEqual(restored.values, ["a2"]);
  }
});

test("the watermark of two inputs is the smaller one", async () => {
  class Both {
    map1(value: number): number {
      return value;
    }
    map2(value: string): string {
      return value;
    }
  }
  const harness = await TwoInputHarness.open<number, string, unknown>({ type: "coMap", fn: Both });
  harness.processElement1(1, 1);
  harness.processWatermark1(10);
  harness.processElement2("x", 2);
  harness.processWatermark2(5);
  harness.processWatermark2(20);
  assert.deepEqual(harness.elements.map((e) => (e.kind === "record" ? e.value : e.kind === "watermark" ? e.timestampMs : e)), [1, "x", 5, 10]);
});

test("simple operators run, too, and what they emit can be taken", async () => {
  const harness = await OneInputHarness.open<number, number>({ type: "map", fn: (x: number) => x * 2 });
  harness.processElement(21, 5);
  assert.deepEqual(harness.takeOutput(), [{ value: 42, timestampMs: 5 }]);
  assert.deepEqual(harness.output, []);
});
