import assert from "node:assert/strict";
import { test } from "node:test";
import { CountEvictor, EventTimeSessionWindows, TumblingEventTimeWindows, type Collector } from "@millrace/core";
import type { WindowJoinSpec } from "@millrace/graph";
import { KeyedTwoInputHarness } from "@millrace/testkit";

interface Item {
  readonly k: string;
  readonly id: number;
}
const key = (item: Item): string => item.k;
const open = (spec: Omit<WindowJoinSpec, "type" | "allowedLatenessMs">) =>
  KeyedTwoInputHarness.open<Item, Item, unknown>({ type: "windowJoin", allowedLatenessMs: 0, ...spec }, { key1: key, key2: key });
const coGroup = (left: Iterable<Item>, right: Iterable<Item>, out: Collector<unknown>): undefined => {
  out.collect([[...left].map((item) => item.id), [...right].map((item) => item.id)]);
};

test("a window join pairs the records of a key and window, a coGroup sees keys of one side, too", async () => {
  const join = await open({ assigner: TumblingEventTimeWindows.of(100), join: (left: Item, right: Item) => [left.id, right.id] });
  const group = await open({ assigner: TumblingEventTimeWindows.of(100), coGroup });
  for (const harness of [join, group]) {
    harness.processElement1({ k: "a", id: 1 }, 10);
    harness.processElement2({ k: "a", id: 2 }, 20);
    harness.processElement2({ k: "a", id: 3 }, 30);
    harness.processElement2({ k: "a", id: 4 }, 100);
    harness.processElement1({ k: "b", id: 5 }, 10);
    harness.processBothWatermarks(99);
  }
  assert.deepEqual(join.output, [{ value: [1, 2], timestampMs: 99 }, { value: [1, 3], timestampMs: 99 }]);
  assert.deepEqual(group.values, [[[1], [2, 3]], [[5], []]]);
});

test("a join function with a collector emits any number of results per pair", async () => {
  const join = await open({
    assigner: TumblingEventTimeWindows.of(100),
    flatJoin: (left: Item, right: Item, out: Collector<unknown>) => {
      for (let i = left.id; i < right.id; i++) out.collect([left.id, i]);
    },
  });
  join.processElement1({ k: "a", id: 1 }, 10);
  join.processElement2({ k: "a", id: 3 }, 20);
  join.processElement2({ k: "a", id: 0 }, 30);
  join.processElement2({ k: "b", id: 9 }, 30);
  join.processBothWatermarks(99);
  assert.deepEqual(join.output, [{ value: [1, 1], timestampMs: 99 }, { value: [1, 2], timestampMs: 99 }]);
});

test("assigners and evictors see the records themselves", async () => {
  const gaps = await open({ assigner: EventTimeSessionWindows.withDynamicGap((item: Item) => item.id), coGroup });
  gaps.processElement1({ k: "a", id: 50 }, 0);
  gaps.processElement2({ k: "a", id: 10 }, 40);
  gaps.processBothWatermarks(49);
  assert.deepEqual(gaps.values, [[[50], [10]]]);
  const evicted = await open({ assigner: TumblingEventTimeWindows.of(100), evictor: CountEvictor.of(2), coGroup });
  for (const id of [1, 2]) evicted.processElement1({ k: "a", id }, id);
  evicted.processElement2({ k: "a", id: 3 }, 3);
  evicted.processBothWatermarks(99);
  assert.deepEqual(evicted.values, [[[2], [3]]]);
});
