import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessMetrics } from "../../src/metrics/process-metrics.js";

test("what slots may have on the way to them, and have, is told under Flink's names", () => {
  const metrics = new ProcessMetrics();
  try {
    const isolate = { heapUsed: 1, heapCommitted: 1, heapMax: 1, external: 1, arrayBuffers: 1, collections: {}, process: undefined };
    const values = metrics.read([
      { ...isolate, network: { segments: 8, usedSegments: 2, totalBytes: 8000, usedBytes: 500 } }, { ...isolate, network: { segments: 8, usedSegments: 6, totalBytes: 8000, usedBytes: 1500 } }, isolate,
    ]);
    const shuffle = Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (name.startsWith("Status.Shuffle.Netty.") ? [[name.slice(21), value]] : [])));
    assert.deepEqual(shuffle, {
      TotalMemorySegments: 16, UsedMemorySegments: 8, AvailableMemorySegments: 8, TotalMemory: 16_000, UsedMemory: 2000, AvailableMemory: 14_000, RequestedMemoryUsage: 50,
    });
    assert.equal(metrics.read()["Status.Shuffle.Netty.RequestedMemoryUsage"], 0);
  } finally {
    metrics.close();
  }
});
