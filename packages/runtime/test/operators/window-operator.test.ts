import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CountEvictor, CountTrigger, EventTimeSessionWindows, GlobalWindows, MAX_WATERMARK, OutputTag, ProcessingTimeSessionWindows, PurgingTrigger, SlidingEventTimeWindows,
  TumblingEventTimeWindows, TumblingProcessingTimeWindows, type TimeWindow, type Trigger, type WindowFn,
} from "@millrace/core";
import { aggregateWindow, collectWindow, openWindow, reduceWindow, type Event } from "./support/windows.js";

const late = new OutputTag<Event>("late");

test("a tumbling window fires when the watermark reaches its last time stamp", async () => {
  for (const engine of ["general", "direct"] as const) {
    const harness = await openWindow(aggregateWindow(TumblingEventTimeWindows.of("1 s")), engine);
    harness.processElement({ key: "a", value: 1 }, 0);
    harness.processElement({ key: "a", value: 2 }, 999);
    harness.processElement({ key: "a", value: 4 }, 1000);
    harness.processWatermark(998);
    assert.deepEqual(harness.values, []);
    harness.processWatermark(999);
    assert.deepEqual(harness.takeOutput(), [{ value: { sum: 3, count: 2 }, timestampMs: 999 }]);
    harness.processWatermark(MAX_WATERMARK);
    assert.deepEqual(harness.takeOutput(), [{ value: { sum: 4, count: 1 }, timestampMs: 1999 }]);
    assert.equal(harness.keyCount + harness.eventTimeTimerCount, 0);
  }
});

test("late records are counted, or go to the side output with the time they have", async () => {
  for (const engine of ["general", "direct"] as const) {
    const counted = await openWindow(aggregateWindow(TumblingEventTimeWindows.of("1 s")), engine);
    counted.processWatermark(999);
    counted.processElement({ key: "a", value: 1 }, 500);
    assert.equal(counted.metric("numLateRecordsDropped"), 1);
    const tagged = await openWindow({ ...aggregateWindow(TumblingEventTimeWindows.of("1 s")), lateTag: late }, engine);
    tagged.processWatermark(999);
    tagged.processElement({ key: "a", value: 1 }, 500);
    assert.deepEqual(tagged.sideOutput(late), [{ value: { key: "a", value: 1 }, timestampMs: 500 }]);
    assert.equal(tagged.metric("numLateRecordsDropped"), 0);
  }
});

test("a late record within the allowed lateness fires its window again", async () => {
  for (const engine of ["general", "direct"] as const) {
    const harness = await openWindow({ ...aggregateWindow(TumblingEventTimeWindows.of("1 s")), allowedLatenessMs: 500 }, engine);
    harness.processElement({ key: "a", value: 1 }, 0);
    harness.processWatermark(999);
    harness.processElement({ key: "a", value: 2 }, 1);
    harness.processWatermark(1498);
    harness.processElement({ key: "b", value: 3 }, 2);
    harness.processWatermark(1499);
    harness.processElement({ key: "a", value: 4 }, 3);
    assert.deepEqual(harness.values, [{ sum: 1, count: 1 }, { sum: 3, count: 2 }, { sum: 3, count: 1 }]);
    assert.equal(harness.metric("numLateRecordsDropped"), 1);
  }
});

test("records of a sliding window belong to size / slide windows", async () => {
  for (const engine of ["general", "direct", "shared"] as const) {
    const harness = await openWindow(reduceWindow(SlidingEventTimeWindows.of("3 s", "1 s")), engine);
    harness.processElement({ key: "a", value: 1 }, 500);
    harness.processElement({ key: "a", value: 2 }, 1500);
    harness.processWatermark(MAX_WATERMARK);
    assert.deepEqual(harness.output.map(({ value, timestampMs }) => [timestampMs, value.value]), [[999, 1], [1999, 3], [2999, 3], [3999, 2]]);
  }
});

test("a record without a time stamp is an error in event-time windows", async () => {
  for (const engine of ["general", "direct"] as const) {
    const harness = await openWindow(aggregateWindow(TumblingEventTimeWindows.of("1 s")), engine);
    assert.throws(() => harness.processElement({ key: "a", value: 1 }), { code: "TIMESTAMP_MISSING" });
  }
});

test("sessions that a record connects become one", async () => {
  for (const engine of ["general", "session"] as const) {
    const harness = await openWindow(aggregateWindow(EventTimeSessionWindows.withGap("1 s")), engine);
    harness.processElement({ key: "a", value: 1 }, 0);
    harness.processElement({ key: "a", value: 2 }, 2000);
    harness.processElement({ key: "a", value: 4 }, 1000);
    harness.processWatermark(2998);
    assert.deepEqual(harness.values, []);
    harness.processWatermark(2999);
    assert.deepEqual(harness.output, [{ value: { sum: 7, count: 3 }, timestampMs: 2999 }]);
    assert.equal(harness.keyCount + harness.eventTimeTimerCount, 0);
  }
});

test("count windows fire and purge every n records of a key", async () => {
  const spec = { ...collectWindow(GlobalWindows.create()), trigger: PurgingTrigger.of(CountTrigger.of(2)) };
  const harness = await openWindow(spec);
  for (const value of [1, 2, 3, 4, 5]) harness.processElement({ key: "a", value }, value);
  assert.deepEqual(harness.output, [{ value: [1, 2], timestampMs: MAX_WATERMARK }, { value: [3, 4], timestampMs: MAX_WATERMARK }]);
});

test("sliding count windows keep the last n records", async () => {
  const spec = { ...collectWindow(GlobalWindows.create()), trigger: CountTrigger.of(2), evictor: CountEvictor.of(3) };
  const harness = await openWindow(spec);
  for (const value of [1, 2, 3, 4, 5, 6]) harness.processElement({ key: "a", value }, value);
  assert.deepEqual(harness.values, [[1, 2], [2, 3, 4], [4, 5, 6]]);
});

test("processing-time windows follow the clock", async () => {
  const harness = await openWindow(collectWindow(TumblingProcessingTimeWindows.of("1 s")));
  harness.processElement({ key: "a", value: 1 });
  harness.setProcessingTime(998);
  harness.processElement({ key: "a", value: 2 });
  assert.deepEqual(harness.values, []);
  harness.setProcessingTime(999);
  assert.deepEqual(harness.output, [{ value: [1, 2], timestampMs: 999 }]);
  const sessions = await openWindow(collectWindow(ProcessingTimeSessionWindows.withGap("1 s")));
  sessions.processElement({ key: "a", value: 1 });
  sessions.setProcessingTime(900);
  sessions.processElement({ key: "a", value: 2 });
  sessions.setProcessingTime(1898);
  assert.deepEqual(sessions.values, []);
  sessions.setProcessingTime(1899);
  assert.deepEqual(sessions.values, [[1, 2]]);
  assert.equal(sessions.keyCount, 0);
});

test("staggered windows are shifted once per operator", async () => {
  const spec = collectWindow(TumblingProcessingTimeWindows.of("1 s", 0, "NATURAL"));
  const harness = await openWindow(spec, "general", { startTimeMs: 300 });
  harness.processElement({ key: "a", value: 1 });
  harness.setProcessingTime(1298);
  assert.deepEqual(harness.values, []);
  harness.setProcessingTime(1299);
  assert.deepEqual(harness.values, [[1]]);
});

test("windowAll keeps all records under one key", async () => {
  for (const engine of ["general", "direct"] as const) {
    const harness = await openWindow({ ...aggregateWindow(TumblingEventTimeWindows.of("1 s")), keyed: false }, engine);
    harness.processElement({ key: "a", value: 1 }, 0);
    harness.processElement({ key: "b", value: 2 }, 1);
    harness.processWatermark(999);
    assert.deepEqual(harness.values, [{ sum: 3, count: 2 }]);
  }
});

test("a window function over an aggregate sees key, window and one value", async () => {
  const fn: WindowFn<{ sum: number; count: number }, unknown, string, TimeWindow> = (key, window, [only], out) => {
    out.collect([key, window.startMs, window.endMs, only!.sum]);
  };
  for (const engine of ["general", "direct", "shared"] as const) {
    const spec = { ...aggregateWindow(SlidingEventTimeWindows.of("2 s", "1 s")), fn: { kind: "plain", fn } } as const;
    const harness = await openWindow<unknown>(spec, engine);
    harness.processElement({ key: "a", value: 5 }, 1200);
    harness.processWatermark(MAX_WATERMARK);
    assert.deepEqual(harness.output, [{ value: ["a", 0, 2000, 5], timestampMs: 1999 }, { value: ["a", 1000, 3000, 5], timestampMs: 2999 }]);
  }
});

test("merging windows refuse triggers and aggregates that cannot merge", async () => {
  const noMerge: Trigger<unknown, TimeWindow> = { onElement: () => "FIRE", onEventTime: () => "CONTINUE", onProcessingTime: () => "CONTINUE", clear: () => {} };
  const sessions = EventTimeSessionWindows.withGap("1 s");
  await assert.rejects(async () => openWindow({ ...collectWindow(sessions), trigger: noMerge }), { code: "TRIGGER_CANNOT_MERGE" });
  const { merge: _, ...aggregate } = aggregateWindow(sessions).aggregate!;
  await assert.rejects(async () => openWindow({ ...aggregateWindow(sessions), aggregate }), { code: "AGGREGATE_CANNOT_MERGE" });
});
