import assert from "node:assert/strict";
import { test } from "node:test";
import { TumblingProcessingTimeWindows, WatermarkStrategy } from "@millrace/core";
import { DataGeneratorSource, RateLimiterStrategy } from "@millrace/datastream";
import { VirtualClock, VirtualTime, VirtualTimeEnvironment } from "../src/index.js";

test("timers fire in order of time, then of registration", () => {
  const clock = new VirtualClock(100);
  const fired: string[] = [];
  clock.setTimer(20, () => fired.push("c"));
  clock.setTimer(10, () => fired.push("a"));
  clock.setTimer(20, () => fired.push("d"));
  clock.setTimer(10, () => fired.push("b"));
  clock.setTimer(15, () => fired.push("cancelled")).cancel();
  while (clock.fireNext()) fired.push(String(clock.nowMs()));
  assert.deepEqual(fired, ["a", "110", "b", "110", "c", "120", "d", "120"]);
});

test("work that nothing can settle is reported, not waited for", async () => {
  await assert.rejects(new VirtualTime().runUntil(new Promise(() => undefined)), { code: "VIRTUAL_TIME_STUCK" });
});

test("a job with hour-long processing-time windows is done at once, with the same result each time", async () => {
  const run = async (): Promise<{ results: number[]; endMs: number }> => {
    const virtual = new VirtualTimeEnvironment();
    const source = new DataGeneratorSource((index: number) => index, 100, RateLimiterStrategy.perSecond(1 / 60));
    const counts = virtual.env.fromSource(source, WatermarkStrategy.noWatermarks(), "minutes").setParallelism(1)
      .windowAll(TumblingProcessingTimeWindows.of("1 h")).aggregate({ createAccumulator: () => 0, add: (_: number, count: number) => count + 1, getResult: (count: number) => count });
    return { results: await virtual.executeAndCollect(counts), endMs: virtual.time.clock.nowMs() };
  };
  const first = await run();
  assert.deepEqual(await run(), first);
  assert.ok(first.endMs >= 98 * 60_000, `ended at ${first.endMs}`);
  assert.ok(first.results.length >= 1 && first.results[0]! >= 59 && first.results[0]! <= 61, String(first.results));
});
