import assert from "node:assert/strict";
import { test } from "node:test";
import { MIN_WATERMARK } from "@millrace/core";
import { CombinedWatermark } from "../../src/input/combined-watermark.js";

function twoParts(): CombinedWatermark {
  const combined = new CombinedWatermark();
  combined.add("a");
  combined.add("b");
  return combined;
}

test("is the minimum of the parts that are active", () => {
  const combined = twoParts();
  assert.equal(combined.setWatermark("a", 10), false);
  assert.equal(combined.setWatermark("b", 5), true);
  assert.equal(combined.watermarkMs, 5);
  assert.equal(combined.setIdle("b", true), true);
  assert.equal(combined.watermarkMs, 10);
  assert.equal(combined.setIdle("b", false), false);
  assert.equal(combined.setWatermark("b", 7), false);
  assert.equal(combined.watermarkMs, 10);
});

for (const order of [["a", "b"], ["b", "a"]] as const) {
  test(`once all parts are idle it is the maximum, whichever became idle first: ${order.join(", ")}`, () => {
    const combined = twoParts();
    combined.setWatermark("a", 300);
    combined.setWatermark("b", 200);
    for (const part of order) combined.setIdle(part, true);
    assert.equal(combined.idle, true);
    assert.equal(combined.watermarkMs, 300);
  });
}

test("parts that became idle before any watermark leave it where it was", () => {
  const combined = twoParts();
  assert.equal(combined.setIdle("a", true), false);
  assert.equal(combined.setIdle("b", true), false);
  assert.equal(combined.watermarkMs, MIN_WATERMARK);
});
