import assert from "node:assert/strict";
import { test } from "node:test";
import { CountEvictor, DeltaEvictor, GlobalWindow, NO_TIMESTAMP, TimeEvictor, type Evictor } from "../../src/index.js";

const context = { currentProcessingTime: 0, currentWatermark: 0 };
const elements = [[1, 10], [5, 40], [9, 20]].map(([value, timestampMs]) => ({ value: value!, timestampMs: timestampMs! }));
const left = (evictor: Evictor<number, any>, side: "evictBefore" | "evictAfter"): number[] => evictor[side](elements, GlobalWindow.instance, context).map((e) => e.value);

test("evictors keep the last, the newest or the nearest records, before or after the function", () => {
  assert.deepEqual([left(CountEvictor.of(2), "evictBefore"), left(CountEvictor.of(2), "evictAfter")], [[5, 9], [1, 5, 9]]);
  assert.deepEqual([left(TimeEvictor.of(30, true), "evictBefore"), left(TimeEvictor.of(30, true), "evictAfter")], [[1, 5, 9], [5, 9]]);
  assert.deepEqual(left(DeltaEvictor.of<number>(8, (a, b) => Math.abs(a - b)), "evictBefore"), [5, 9]);
});

test("a time evictor leaves records without time stamps alone", () => {
  const timeless = [{ value: 1, timestampMs: NO_TIMESTAMP }];
  assert.equal(TimeEvictor.of(1).evictBefore(timeless, GlobalWindow.instance, context), timeless);
});
