import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_WATERMARK, NO_TIMESTAMP, type Collector } from "@millrace/core";
import { KeyedOneInputHarness, OneInputHarness } from "@millrace/testkit";

test("a partition is mapped as a whole when its input has ended", async () => {
  const mapPartition = (values: Iterable<number>, out: Collector<number>): undefined => {
    const all = [...values];
    out.collect(all.length);
    out.collect(all.reduce((a, b) => a + b, 0));
  };
  const spec = { type: "partitionWindow", keyed: false, mapPartition } as const;
  const harness = await OneInputHarness.open<number, number>(spec);
  for (const value of [1, 2]) harness.processElement(value, value);
  const restored = await OneInputHarness.open<number, number>(spec, { restore: await harness.snapshot() });
  restored.processElement(3, 3);
  assert.deepEqual(restored.values, []);
  await restored.finish();
  assert.deepEqual(restored.output, [{ value: 3, timestampMs: NO_TIMESTAMP }, { value: 6, timestampMs: NO_TIMESTAMP }]);
});

test("a partition is sorted, stable, in either order", async () => {
  for (const [order, expected] of [["ascending", ["b1", "c1", "a2"]], ["descending", ["a2", "b1", "c1"]]] as const) {
    const sort = { selector: (value: string) => Number(value[1]), order } as const;
    const harness = await OneInputHarness.open<string, string>({ type: "partitionWindow", keyed: false, sort });
    for (const value of ["a2", "b1", "c1"]) harness.processElement(value);
    await harness.finish();
    assert.deepEqual(harness.values, expected);
  }
});

test("keyed partitions are reduced per key, before the last watermark goes on", async () => {
  const harness = await KeyedOneInputHarness.open<number, number>({ type: "partitionWindow", keyed: true, reduce: (a: number, b: number) => a + b }, { key: (value) => value % 2 });
  for (const value of [1, 2, 3, 4]) harness.processElement(value, value);
  harness.processWatermark(MAX_WATERMARK);
  await harness.finish();
  assert.deepEqual(harness.elements, [
    { kind: "record", value: 4, timestampMs: MAX_WATERMARK }, { kind: "record", value: 6, timestampMs: MAX_WATERMARK }, { kind: "watermark", timestampMs: MAX_WATERMARK },
  ]);
});
