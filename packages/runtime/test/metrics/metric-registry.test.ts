import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualTime } from "@millrace/testkit";
import { MetricRegistry } from "../../src/metrics/metric-registry.js";

function read(registry: MetricRegistry): Record<string, number> {
  const values: Record<string, number> = {};
  registry.read(values);
  return values;
}

test("a histogram is told by Flink's figures, over the last values it saw", () => {
  const registry = new MetricRegistry(new VirtualTime().clock);
  const latency = registry.group("map").histogram("latency");
  assert.ok(Object.entries(read(registry)).every(([name, value]) => (name === "map.latency_count" ? value === 0 : Number.isNaN(value))));
  latency.update(7);
  assert.deepEqual([read(registry)["map.latency_stddev"], read(registry)["map.latency_p999"]], [0, 7]);
  for (let i = 0; i < 1000; i++) latency.update(1e9);
  for (let i = 1024; i > 0; i--) latency.update(i);
  assert.deepEqual(read(registry), {
    "map.latency_count": 2025, "map.latency_min": 1, "map.latency_max": 1024, "map.latency_mean": 512.5, "map.latency_stddev": Math.sqrt((1024 * 1025) / 12), "map.latency_median": 513,
    "map.latency_p75": 769, "map.latency_p90": 922, "map.latency_p95": 973, "map.latency_p98": 1004, "map.latency_p99": 1014, "map.latency_p999": 1023,
  });
});
