import assert from "node:assert/strict";
import { test } from "node:test";
import { WatermarkValve } from "../../src/input/watermark-valve.js";

function valve(channels: number): { valve: WatermarkValve; log: (number | string)[] } {
  const log: (number | string)[] = [];
  return { valve: new WatermarkValve(channels, { watermark: (ms) => log.push(ms), status: (idle) => log.push(idle ? "idle" : "active") }), log };
}

test("emits the minimum of all channels, and never goes back", () => {
  const { valve: v, log } = valve(2);
  v.inputWatermark(10, 0);
  assert.deepEqual(log, []);
  v.inputWatermark(5, 1);
  v.inputWatermark(4, 1);
  v.inputWatermark(20, 1);
  assert.deepEqual(log, [5, 10]);
});

test("an idle channel does not hold the others back", () => {
  const { valve: v, log } = valve(3);
  v.inputWatermark(10, 0);
  v.inputWatermark(20, 1);
  v.inputStatus(true, 2);
  assert.deepEqual(log, [10]);
  v.inputWatermark(11, 0);
  assert.deepEqual(log, [10, 11]);
});

test("when all channels are idle the largest watermark comes first, then the status", () => {
  const { valve: v, log } = valve(2);
  v.inputWatermark(5, 0);
  v.inputWatermark(9, 1);
  v.inputStatus(true, 1);
  v.inputStatus(true, 0);
  assert.deepEqual(log, [5, 9, "idle"]);
  v.inputWatermark(100, 0);
  assert.deepEqual(log, [5, 9, "idle"], "an idle channel's watermark is ignored");
});

test("a channel that comes back counts only once it has caught up", () => {
  const { valve: v, log } = valve(2);
  v.inputWatermark(3, 1);
  v.inputStatus(true, 1);
  v.inputWatermark(10, 0);
  v.inputStatus(false, 1);
  v.inputWatermark(12, 0);
  assert.deepEqual(log, [10, 12], "channel 1 stands at 3 and is not aligned yet");
  v.inputWatermark(12, 1);
  v.inputWatermark(15, 0);
  assert.deepEqual(log, [10, 12], "now it holds back");
  v.inputWatermark(14, 1);
  assert.deepEqual(log, [10, 12, 14]);
});
