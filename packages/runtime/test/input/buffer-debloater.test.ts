import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BufferDebloater, type DebloatingSettings } from "../../src/input/buffer-debloater.js";

const settings: DebloatingSettings = { targetMs: 1000, periodMs: 200, samples: 20, thresholdPercent: 25, smallestBytes: 256 };

/** Samples until the size moves no more. */
function settle(debloater: BufferDebloater, bytesPerSecond: number, buffers: number, samples = 300): number[] {
  const told: number[] = [];
  for (let i = 0; i < samples; i++) if (debloater.sample(bytesPerSecond, buffers)) told.push(debloater.bufferSize);
  return told;
}

test("finds the size at which all that waits takes the target time", () => {
  const debloater = new BufferDebloater(settings, 32_768);
  settle(debloater, 100_000, 10);
  assert.ok(Math.abs(debloater.bufferSize - 10_000) <= 10, `${debloater.bufferSize}`);
  assert.ok(Math.abs(debloater.estimatedTimeMs - 1000) <= 1);
  settle(debloater, 20_000, 10);
  assert.ok(Math.abs(debloater.bufferSize - 2000) <= 10, `${debloater.bufferSize}`);
});

test("moves as Flink's average does, but for fractions of bytes", () => {
  const debloater = new BufferDebloater({ ...settings, samples: 19, thresholdPercent: 0 }, 65_536);
  const sizes = (bytes: number, count: number): number[] => Array.from({ length: count }, () => (debloater.sample(bytes, 1), debloater.bufferSize));
  assert.deepEqual(sizes(0, 3), [58_982, 53_084, 47_775]);
  assert.deepEqual(sizes(1e9, 4), [52_553, 57_808, 63_589, 65_536]);
});

test("tells its senders of changes by the threshold, and always of the smallest and the largest size", () => {
  const debloater = new BufferDebloater(settings, 10_000);
  const shrinking = settle(debloater, 0, 1);
  for (let i = 1; i < shrinking.length - 1; i++) assert.ok(shrinking[i]! <= shrinking[i - 1]! * 0.75, shrinking.join());
  assert.equal(shrinking.at(-1), 256);
  assert.ok(shrinking.length < 15);
  const growing = settle(debloater, 1e9, 1);
  for (let i = 1; i < growing.length - 1; i++) assert.ok(growing[i]! >= growing[i - 1]! * 1.25, growing.join());
  assert.equal(growing.at(-1), 10_000);
  assert.ok(debloater.unlimited);
});

test("stays at the largest size without back-pressure, whatever that becomes, and tells nobody", () => {
  const debloater = new BufferDebloater(settings, 256);
  for (const largest of [300, 20_000, 10_000, 262_144]) {
    debloater.raiseLargest(largest);
    assert.equal(debloater.sample(1e7, 2), false);
    assert.ok(debloater.unlimited);
  }
  assert.equal(debloater.bufferSize, 262_144);
});

test("the largest buffer does not lift what is held down", () => {
  const debloater = new BufferDebloater(settings, 10_000);
  settle(debloater, 1000, 1);
  const { bufferSize } = debloater;
  debloater.raiseLargest(200_000);
  assert.equal(debloater.bufferSize, bufferSize);
  assert.equal(debloater.unlimited, false);
});

test("sizes stay within their bounds and are about the target when they can be", () => {
  fc.assert(fc.property(
    fc.record({
      samples: fc.integer({ min: 1, max: 50 }), threshold: fc.integer({ min: 0, max: 100 }), smallest: fc.integer({ min: 1, max: 5000 }), largest: fc.integer({ min: 1, max: 262_144 }),
      noise: fc.array(fc.record({ bytesPerSecond: fc.double({ min: 0, max: 1e12, noNaN: true }), buffers: fc.nat(1000) }), { maxLength: 40 }),
      bytesPerSecond: fc.integer({ min: 0, max: 10_000_000 }), buffers: fc.nat(64),
    }),
    ({ samples, threshold, smallest, largest, noise, bytesPerSecond, buffers }) => {
      const debloater = new BufferDebloater({ ...settings, samples, thresholdPercent: threshold, smallestBytes: smallest }, largest);
      const most = Math.max(smallest, largest);
      for (const sample of noise) {
        debloater.sample(sample.bytesPerSecond, sample.buffers);
        assert.ok(debloater.bufferSize >= smallest && debloater.bufferSize <= most && Number.isInteger(debloater.bufferSize));
      }
      settle(debloater, bytesPerSecond, buffers, 2000);
      const wanted = Math.max(smallest, Math.min(most, bytesPerSecond / Math.max(1, buffers)));
      assert.ok(Math.abs(debloater.bufferSize - wanted) <= 1 + wanted / 1000, `${debloater.bufferSize} instead of ${wanted}`);
    },
  ));
});
