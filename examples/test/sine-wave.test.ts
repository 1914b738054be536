import assert from "node:assert/strict";
import { test } from "node:test";
import { printedBy } from "./run-example.js";

test("sine waves cancel each other out in event time and not in processing time", async () => {
  const lines = await printedBy("sine-wave", ["-p", "2"], ["--periods", "5"]);
  const results = lines.map((line) => /^(.*) time> sum of (\d+) samples = (\S+)$/.exec(line)!.slice(1));
  const [eventTime, processingTime] = ["event", "processing"].map((time) => results.filter(([of]) => of === time).map(([, count, sum]) => ({ count: Number(count), sum: Number(sum) })));
  assert.deepEqual(eventTime, Array.from({ length: 5 }, () => ({ count: 3 * 120, sum: 0 })));
  assert.ok(processingTime!.some(({ sum }) => sum !== 0), "a window of whatever has arrived is not a period");
  // The last window ends after the input does, and processing-time windows do not wait for it.
  assert.ok(processingTime!.reduce((total, { count }) => total + count, 0) <= 5 * 3 * 120);
});
