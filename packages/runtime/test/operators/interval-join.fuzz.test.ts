// Invariant: an interval join emits what a list of all records says, where the watermark removes a record when it advances over its end; and
// neither does it matter where snapshots are taken and restored.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_WATERMARK, type Collector, type ProcessJoinContext } from "@millrace/core";
import { KeyedTwoInputHarness, type HarnessSnapshot } from "@millrace/testkit";

interface Item {
  readonly k: number;
  readonly id: number;
}
interface Kept extends Item {
  readonly time: number;
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom("left" as const, "right" as const), k: fc.nat(2), time: fc.integer({ min: -20, max: 80 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("watermark" as const), by: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restore" as const) }) },
);
const bounds = fc.oneof(fc.constantFrom([0, 0], [0, 10], [-10, 0], [5, 9], [-9, -5]), fc.tuple(fc.integer({ min: -40, max: 10 }), fc.nat(60)).map(([lower, width]) => [lower, lower + width]));

function open([lowerBoundMs, upperBoundMs]: readonly number[], restore?: HarnessSnapshot): Promise<KeyedTwoInputHarness<Item, Item, unknown>> {
  const fn = () => ({
    processElement: (left: Item, right: Item, context: ProcessJoinContext, out: Collector<unknown>) =>
      out.collect([left.id, right.id, context.leftTimestamp, context.rightTimestamp]) as undefined,
  });
  const key = (item: Item): number => item.k;
  return KeyedTwoInputHarness.open<Item, Item, unknown>(
    { type: "intervalJoin", lowerBoundMs: lowerBoundMs!, upperBoundMs: upperBoundMs!, fn }, { key1: key, key2: key, ...(restore === undefined ? {} : { restore }) },
  );
}

/** Joins one more record with those the other side keeps; ascending by time, equal times in order of arrival. */
function joined(isLeft: boolean, item: Kept, others: readonly Kept[], [lower, upper]: readonly number[]): unknown[] {
  const matches = others.filter((other) => {
    const difference = isLeft ? other.time - item.time : item.time - other.time;
    return other.k === item.k && difference >= lower! && difference <= upper!;
  });
  return matches.sort((a, b) => a.time - b.time).map((other) => ({
    value: isLeft ? [item.id, other.id, item.time, other.time] : [other.id, item.id, other.time, item.time], timestampMs: Math.max(item.time, other.time),
  }));
}

test("an interval join is the join of two lists", async () => {
  await fc.assert(
    fc.asyncProperty(bounds, fc.array(step, { maxLength: 150, size: "max" }), async (range, steps) => {
      let harness = await open(range);
      let kept: { left: Kept[]; right: Kept[] } = { left: [], right: [] };
      const keep = { left: Math.max(range[1]!, 0), right: Math.max(-range[0]!, 0) };
      let watermark = -20;
      let id = 0;
      for (const one of steps) {
        if (one.kind === "watermark") {
          watermark += one.by;
          harness.processBothWatermarks(watermark);
          const live = (side: "left" | "right"): Kept[] => kept[side].filter(({ time }) => time + keep[side] > watermark);
          kept = { left: live("left"), right: live("right") };
        } else if (one.kind === "restore") {
          harness = await open(range, await harness.snapshot());
        } else {
          const item = { k: one.k, id: id++, time: one.time };
          const before = harness.output.length;
          if (one.kind === "left") harness.processElement1(item, one.time);
          else harness.processElement2(item, one.time);
          const late = one.time < watermark;
          assert.deepEqual(harness.output.slice(before), late ? [] : joined(one.kind === "left", item, kept[one.kind === "left" ? "right" : "left"], range));
          if (!late) kept[one.kind].push(item);
        }
      }
      harness.processBothWatermarks(MAX_WATERMARK);
      assert.equal(harness.keyCount + harness.eventTimeTimerCount, 0);
    }),
    { numRuns: 300, examples: [[[0, 0], [{ kind: "watermark", by: 70 }, { kind: "left", k: 0, time: 50 }, { kind: "restore" }, { kind: "right", k: 0, time: 50 }]]] },
  );
});
