import assert from "node:assert/strict";
import { test } from "node:test";
import { ThroughputMeter } from "../../src/input/throughput-meter.js";

test("knows nothing before the task runs", () => {
  const meter = new ThroughputMeter();
  assert.equal(meter.measure(0, 5000), undefined);
  meter.activeFrom(6000);
  assert.equal(meter.measure(500, 6500), 1000, "the time before does not count");
});

test("leaves out the time in which nothing waits", () => {
  const meter = new ThroughputMeter();
  meter.activeFrom(0);
  meter.idleFrom(50);
  meter.activeFrom(100);
  meter.activeFrom(120);
  meter.idleFrom(150);
  meter.idleFrom(170);
  assert.equal(meter.measure(1000, 200), 10_000, "1000 bytes in 100 ms");
});

test("keeps what it knows while there is nothing to take, and falls to nothing when nothing is taken of what waits", () => {
  const meter = new ThroughputMeter();
  meter.activeFrom(0);
  assert.equal(meter.measure(200, 200), 1000);
  meter.idleFrom(200);
  assert.equal(meter.measure(200, 400), 1000);
  meter.activeFrom(400);
  assert.equal(meter.measure(200, 600), 0);
  assert.equal(meter.measure(400, 800), 1000);
});

test("forgets what it is told to skip, bytes and time", () => {
  const meter = new ThroughputMeter();
  meter.activeFrom(0);
  meter.skip(1_000_000, 900);
  assert.equal(meter.measure(1_000_100, 1000), 1000);
});
