import assert from "node:assert/strict";
import { test } from "node:test";
import { OutputTag, type Collector, type ProcessJoinContext } from "@millrace/core";
import { KeyedTwoInputHarness, type HarnessOptions } from "@millrace/testkit";

interface Item {
  readonly k: string;
  readonly id: number;
}
const lateLeft = new OutputTag<Item>("late left");
const lateRight = new OutputTag<Item>("late right");
const key = (item: Item): string => item.k;

function open(lowerBoundMs: number, upperBoundMs: number, options: HarnessOptions = {}) {
  const fn = () => ({
    processElement: (left: Item, right: Item, context: ProcessJoinContext, out: Collector<unknown>) =>
      out.collect([left.id, right.id, context.leftTimestamp, context.rightTimestamp]) as undefined,
  });
  return KeyedTwoInputHarness.open<Item, Item, unknown>({ type: "intervalJoin", lowerBoundMs, upperBoundMs, lateLeft, lateRight, fn }, { ...options, key1: key, key2: key });
}

test("pairs within both bounds are joined at the later time, whichever side comes first", async () => {
  const harness = await open(-10, 20);
  harness.processElement1({ k: "a", id: 1 }, 100);
  for (const [id, time] of [[1, 89], [2, 90], [3, 120], [4, 121]] as const) harness.processElement2({ k: "a", id }, time);
  harness.processElement2({ k: "b", id: 9 }, 100);
  harness.processElement1({ k: "a", id: 2 }, 101);
  assert.deepEqual(harness.output, [
    { value: [1, 2, 100, 90], timestampMs: 100 }, { value: [1, 3, 100, 120], timestampMs: 120 },
    { value: [2, 3, 101, 120], timestampMs: 120 }, { value: [2, 4, 101, 121], timestampMs: 121 },
  ]);
});

test("late records go to the side output of their side, and stay late after a restore", async () => {
  const harness = await open(0, 10);
  harness.processBothWatermarks(50);
  const restored = await open(0, 10, { restore: await harness.snapshot() });
  restored.processElement1({ k: "a", id: 1 }, 49);
  restored.processElement2({ k: "a", id: 2 }, 49);
  restored.processElement2({ k: "a", id: 3 }, 50);
  assert.deepEqual(restored.sideOutput(lateLeft), [{ value: { k: "a", id: 1 }, timestampMs: 49 }]);
  assert.deepEqual(restored.sideOutput(lateRight), [{ value: { k: "a", id: 2 }, timestampMs: 49 }]);
  assert.throws(() => restored.processElement1({ k: "a", id: 4 }), { code: "TIMESTAMP_MISSING" });
});

test("buffers and timers are gone once the watermark has passed the bounds", async () => {
  const harness = await open(-10, 20);
  for (let time = 0; time < 100; time += 7) {
    harness.processElement1({ k: `k${time % 3}`, id: time }, time);
    harness.processElement2({ k: `k${time % 3}`, id: time }, time);
  }
  harness.processBothWatermarks(118);
  assert.equal(harness.keyCount + harness.eventTimeTimerCount, 0);
});
