import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BatchDecoder, BatchEncoder, BufferPool, RecordBatch } from "../../src/index.js";
import { anyRows } from "./arbitrary-values.js";
import { assertSame } from "./same.js";

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
console.log(`buffer pool seed ${seed} (set SEED to repeat)`);

test("gives a buffer that is large enough and not much too large, once", () => {
  const pool = new BufferPool();
  pool.give(new ArrayBuffer(8192));
  pool.give(new ArrayBuffer(65_536));
  assert.equal(pool.take(100_000), undefined);
  assert.equal(pool.take(20_000)?.byteLength, 65_536);
  assert.equal(pool.take(20_000), undefined);
  assert.equal(pool.take(1000), undefined);
  assert.equal(pool.take(5000)?.byteLength, 8192);
});

test("keeps neither small buffers, nor odd ones, nor too many", () => {
  const pool = new BufferPool();
  pool.give(new ArrayBuffer(64));
  pool.give(new ArrayBuffer(8191));
  pool.give(new ArrayBuffer(1 << 24));
  for (const bytes of [16, 8000, 1 << 23]) assert.equal(pool.take(bytes), undefined);
  for (let i = 0; i < 1000; i++) pool.give(new ArrayBuffer(1 << 20));
  let kept = 0;
  while (pool.take(1 << 20) !== undefined) kept++;
  assert.equal(kept, 8);
});

test("what is encoded into used buffers comes back exactly, and no two batches share one", () => {
  const encoder = new BatchEncoder({ compileAfterRecords: 0, buffers: new BufferPool() });
  const dirty = new BufferPool();
  const reused = new BatchEncoder({ compileAfterRecords: 0, buffers: dirty });
  const decoder = new BatchDecoder();
  fc.assert(
    fc.property(fc.array(anyRows, { minLength: 1, maxLength: 4 }), (batches) => {
      const buffers = batches.map((rows) => encoder.encode(RecordBatch.withoutTimestamps(rows)));
      assert.equal(new Set(buffers).size, buffers.length);
      buffers.forEach((buffer, i) => assertSame(decoder.decode(buffer).values, batches[i]!));
      for (const rows of batches) {
        const buffer = reused.encode(RecordBatch.withoutTimestamps(rows));
        assertSame(decoder.decode(buffer).values, rows);
        new Uint8Array(buffer).fill(0xa5);
        dirty.give(buffer);
      }
    }),
    { seed, numRuns: 300 },
  );
});

test("columns of long texts, ASCII and others in turn, in used buffers", () => {
  const pool = new BufferPool();
  const encoder = new BatchEncoder({ compileAfterRecords: 0, buffers: pool });
  const decoder = new BatchDecoder();
  const texts = ["plain", "ключ", "é", "标签", "\u{1F600}", "\ud800", ""];
  for (let round = 0; round < 50; round++) {
    const rows = Array.from({ length: 500 }, (_, i) => ({ i, text: texts[round % 3 === 0 ? 0 : (i + round) % texts.length]!.repeat(1 + (i % 40)) }));
    const buffer = encoder.encode(RecordBatch.withoutTimestamps(rows));
    assert.deepEqual(decoder.decode(buffer).values, rows);
    pool.give(buffer);
  }
});
