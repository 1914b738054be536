import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CumulatingEventTimeWindows, EventTimeSessionWindows, GlobalWindow, GlobalWindows, SlidingEventTimeWindows, TumblingEventTimeWindows, TumblingProcessingTimeWindows,
  type TimeWindow, type WindowAssigner,
} from "../../src/index.js";

const at = (nowMs: number) => ({ currentProcessingTime: () => nowMs });
const windows = (assigner: WindowAssigner<any, TimeWindow>, timestampMs: number, value: unknown = undefined): number[][] =>
  assigner.assignWindows(value, timestampMs, at(0)).map((window) => [window.startMs, window.endMs]);

test("tumbling windows are aligned to the epoch, shifted by an offset of either sign", () => {
  assert.deepEqual(windows(TumblingEventTimeWindows.of("1 s"), 1999), [[1000, 2000]]);
  assert.deepEqual(windows(TumblingEventTimeWindows.of("1 s"), -1), [[-1000, 0]]);
  assert.deepEqual(windows(TumblingEventTimeWindows.of(1000, 250), 249), [[-750, 250]]);
  assert.deepEqual(windows(TumblingEventTimeWindows.of("1 d", "-8 h"), 0), [[-28_800_000, 57_600_000]]);
});

test("sliding windows overlap, latest first, or leave gaps", () => {
  assert.deepEqual(windows(SlidingEventTimeWindows.of(1000, 400), 1000), [[800, 1800], [400, 1400]]);
  assert.deepEqual(windows(SlidingEventTimeWindows.of(300, 1000), 299), [[0, 300]]);
  assert.deepEqual(windows(SlidingEventTimeWindows.of(300, 1000), 300), []);
});

test("cumulating windows grow by their step", () => {
  assert.deepEqual(windows(CumulatingEventTimeWindows.of(900, 300, 100), 450), [[100, 700], [100, 1000]]);
  assert.throws(() => CumulatingEventTimeWindows.of(1000, 300), { code: "WINDOW_INVALID" });
});

test("sessions that overlap or touch merge", () => {
  const assigner = EventTimeSessionWindows.withDynamicGap((value: number) => value);
  assert.deepEqual(windows(assigner, 5, 10), [[5, 15]]);
  const merged: unknown[] = [];
  const input = [30, 0, 10, 41].map((start) => assigner.assignWindows(10, start)[0]!);
  assigner.mergeWindows(input, (members, result) => merged.push([members.map((window) => window.startMs), result.startMs, result.endMs]));
  assert.deepEqual(merged, [[[0, 10], 0, 20]]);
  for (const gap of [0, -1, 1.5, Number.NaN]) assert.throws(() => assigner.assignWindows(gap, 0), { code: "SESSION_GAP_INVALID" });
});

test("processing-time windows look at the clock, staggered ones from their first record on", () => {
  assert.deepEqual(TumblingProcessingTimeWindows.of(100).assignWindows(0, 7, at(250)).map((w) => w.startMs), [200]);
  const natural = TumblingProcessingTimeWindows.of(100, 0, "NATURAL").forOperator(() => 0);
  assert.deepEqual(natural.assignWindows(0, 7, at(250))[0]!.startMs, 250);
  assert.deepEqual(natural.assignWindows(0, 7, at(449))[0]!.startMs, 350);
  const random = TumblingProcessingTimeWindows.of(100, 0, "RANDOM");
  assert.deepEqual(random.forOperator(() => 0.3).assignWindows(0, 7, at(250))[0]!.startMs, 230);
  assert.deepEqual(random.forOperator(() => 0.6).assignWindows(0, 7, at(250))[0]!.startMs, 160);
});

test("all records share the global window", () => {
  assert.deepEqual(GlobalWindows.create().assignWindows(), [GlobalWindow.instance]);
});

test("lengths must be positive, offsets shorter than the period, time stamps there", () => {
  assert.throws(() => TumblingEventTimeWindows.of(0), { code: "WINDOW_INVALID" });
  assert.throws(() => TumblingEventTimeWindows.of(10, -10), { code: "WINDOW_INVALID" });
  assert.throws(() => SlidingEventTimeWindows.of(1000, 100, 100), { code: "WINDOW_INVALID" });
  assert.throws(() => EventTimeSessionWindows.withGap(0), { code: "WINDOW_INVALID" });
  assert.throws(() => windows(TumblingEventTimeWindows.of(10), Number.MIN_SAFE_INTEGER), { code: "TIMESTAMP_MISSING" });
});

test("a window's id gives the window back", () => {
  const { windowCodec } = TumblingEventTimeWindows.of(10);
  const [window] = TumblingEventTimeWindows.of(10).assignWindows(0, -7, at(0));
  assert.deepEqual(windowCodec.decode(windowCodec.encode(window!)), window);
});
