import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  BatchDecoder, BatchEncoder, NO_TIMESTAMP, RecordBatch, decodeValue, detachValue, encodeValue, flattenString, isMillraceError, registerType, type Mark,
} from "../../src/index.js";
import { anyRows } from "./arbitrary-values.js";
import { assertSame } from "./same.js";

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
console.log(`batch codec seed ${seed} (set SEED to repeat)`);

const now = { compileAfterRecords: 0 };
const never = { compileAfterRecords: Infinity };
const trip = (rows: unknown[], encoder = new BatchEncoder(now), decoder = new BatchDecoder(now)): unknown[] =>
  decoder.decode(encoder.encode(RecordBatch.withoutTimestamps(rows))).values;

test("rows of any kind come back exactly, as from the value codec, with code and without", () => {
  fc.assert(
    fc.property(anyRows, (rows) => {
      assertSame(trip(rows), decodeValue(encodeValue(rows.slice())));
      assertSame(trip(rows, new BatchEncoder(now), new BatchDecoder(never)), rows);
      assertSame(trip(rows, new BatchEncoder(never)), rows);
    }),
    { seed, numRuns: 1500 },
  );
});

test("an encoder that has seen other batches stays exact, and its buffers need no earlier ones", () => {
  fc.assert(
    fc.property(fc.array(anyRows, { minLength: 2, maxLength: 8 }), (batches) => {
      const encoder = new BatchEncoder(now);
      const decoder = new BatchDecoder(now);
      for (const rows of batches) {
        assertSame(trip(rows, encoder, decoder), rows);
        assertSame(trip(rows, encoder), rows);
      }
    }),
    { seed, numRuns: 300 },
  );
});

test("ranges, time stamps, hashes", () => {
  const anyTimes = fc.oneof(
    fc.constant(NO_TIMESTAMP), fc.integer({ min: 1_700_000_000_000, max: 1_700_000_050_000 }), fc.maxSafeInteger(), fc.double({ noNaN: true }).filter((t) => !Object.is(t, -0)),
  );
  fc.assert(
    fc.property(fc.constantFrom(0, 1, 2, 3).chain((kinds) => fc.array(kinds === 0 ? anyTimes : kinds === 1 ? fc.constant(5) : fc.integer({ min: kinds * 1e12, max: kinds * 1e12 + 10 ** (kinds * 3) }), { maxLength: 40 })), fc.nat(), fc.nat(), fc.boolean(), (times, a, b, hashed) => {
      const to = times.length === 0 ? 0 : b % (times.length + 1);
      const from = to === 0 ? 0 : a % (to + 1);
      const batch = new RecordBatch<unknown>(times.map((_, i) => ({ i })), Float64Array.from([...times, 7, 7]), times.length);
      if (hashed) batch.keyHashes = Int32Array.from([...times.map((_, i) => i * 2654435761), 1]);
      const out = new BatchDecoder().decode(new BatchEncoder(now).encode(batch, from, to));
      assert.equal(out.count, to - from);
      assert.deepEqual([...out.timestampsMs], times.slice(from, to));
      assert.deepEqual(out.values, batch.values.slice(from, to));
      assert.deepEqual(out.keyHashes, hashed ? batch.keyHashes!.slice(from, to) : null);
    }),
    { seed, numRuns: 1000 },
  );
});

test("marks travel once, with the records before them", () => {
  const marks: Mark[] = [0, 1, 2, 2, 4].map((at, i) => ({ at, kind: "watermark", timestampMs: i }));
  marks.push({ at: 4, kind: "latency", markedTimeMs: 1, operatorId: "o", subtaskIndex: 2 });
  const batch = RecordBatch.withoutTimestamps([1, 2, 3, 4]);
  batch.marks = marks;
  const encoder = new BatchEncoder();
  const decoder = new BatchDecoder();
  const pieces = [[0, 2], [2, 3], [3, 4]].map(([from, to]) => decoder.decode(encoder.encode(batch, from, to)).marks);
  assert.deepEqual(pieces, [
    [{ at: 0, kind: "watermark", timestampMs: 0 }, { at: 1, kind: "watermark", timestampMs: 1 }, { at: 2, kind: "watermark", timestampMs: 2 }, { at: 2, kind: "watermark", timestampMs: 3 }],
    null,
    [{ at: 1, kind: "watermark", timestampMs: 4 }, { at: 1, kind: "latency", markedTimeMs: 1, operatorId: "o", subtaskIndex: 2 }],
  ]);
  const empty = new RecordBatch([], new Float64Array(0));
  empty.marks = [{ at: 0, kind: "status", idle: true }];
  assert.deepEqual(decoder.decode(encoder.encode(empty)).marks, empty.marks);
});

test("records that drift from one type to another", () => {
  const encoder = new BatchEncoder();
  const decoder = new BatchDecoder();
  const kinds: ((i: number) => unknown)[] = [
    (i) => i, (i) => i * 1e6, (i) => -0 * i, (i) => `s${i}`, (i) => (i % 2 === 0 ? i : `s${i}`), () => null, () => undefined, (i) => ({ deep: i }), (i) => ({ deep: `${i}` }), (i) => [i, i],
    (i) => (i % 10 === 0 ? null : BigInt(i)), (i) => new Date(i), (i) => Array.from({ length: i % 4 }, () => i), (i) => 2n ** BigInt(i),
  ];
  for (let round = 0; round < 3; round++) {
    for (const kind of kinds) {
      for (let k = 0; k < 4; k++) {
        const rows = Array.from({ length: 100 }, (_, i) => ({ id: i, v: kind(i) }));
        assertSame(trip(rows, encoder, decoder), rows);
      }
    }
  }
});

test("numbers stay compact whether they are integers or not", () => {
  for (const [make, bytesEach] of [[(i: number) => i % 100, 1], [(i: number) => i % 30_000, 2], [(i: number) => i / 2, 8]] as const) {
    for (const wrap of [(n: number) => n as unknown, (n: number) => ({ n })]) {
      const encoder = new BatchEncoder(now);
      const rows = Array.from({ length: 1024 }, (_, i) => wrap(make(i)));
      const batch = RecordBatch.withoutTimestamps(rows);
      const sizes = [1, 2, 3].map(() => encoder.encode(batch).byteLength);
      assert.ok(sizes[2]! < 1024 * bytesEach + 100, `${sizes}`);
      assertSame(trip(rows, encoder), rows);
    }
  }
});

test("more shapes than are kept", () => {
  const encoder = new BatchEncoder();
  const decoder = new BatchDecoder();
  for (let round = 0; round < 600; round++) {
    const rows = Array.from({ length: 40 }, (_, i) => ({ [`k${(i * 7 + round) % 90}`]: i, same: "x" }));
    assertSame(trip(rows, encoder, decoder), rows);
  }
});

test("sizes grow and shrink, and nothing of an earlier batch shows", () => {
  const encoder = new BatchEncoder();
  const decoder = new BatchDecoder();
  for (const size of [1, 5000, 0, 3, 70_000, 2]) {
    const rows = Array.from({ length: size }, (_, i) => ({ i, s: i % 3 === 0 ? null : "x".repeat(i % 300), n: i % 5 === 0 ? null : { a: i, b: "é" } }));
    assertSame(trip(rows, encoder, decoder), rows);
  }
});

test("a buffer is as long as needed, and may lie anywhere", () => {
  const rows = Array.from({ length: 1000 }, (_, i) => ({ i, x: i / 3, s: `s${i}` }));
  const buffer = new BatchEncoder(now).encode(RecordBatch.withoutTimestamps(rows));
  assert.ok(buffer.byteLength < 20_000, String(buffer.byteLength));
  for (const offset of [0, 1, 4, 8]) {
    const shifted = new Uint8Array(buffer.byteLength + offset + 3);
    shifted.set(new Uint8Array(buffer), offset);
    assertSame(new BatchDecoder().decode(shifted.subarray(offset, offset + buffer.byteLength)).values, rows);
  }
});

test("what cannot be carried is refused with record and place, and the encoder goes on", () => {
  class Odd {}
  const encoder = new BatchEncoder(now);
  const good = Array.from({ length: 10 }, (_, i) => ({ id: i, v: { w: i } }));
  for (const [bad, message] of [
    [{ id: 1, v: { w: () => 1 } }, /^record 10: \$\.v\.w is a function/],
    [{ id: 1, v: [new Odd()] }, /^record 10: \$\.v\[0\] is an instance of Odd/],
    [new Odd(), /^record 10: \$ is an instance of Odd/],
    [Symbol("x"), /^record 10: \$ is a symbol/],
  ] as const) {
    assert.throws(() => encoder.encode(RecordBatch.withoutTimestamps([...good, bad, ...good])), (error) => isMillraceError(error) && error.code === "RECORD_NOT_ENCODABLE" && message.test(error.message));
    assertSame(trip(good, encoder), good);
  }
  registerType("test.Odd", Odd, { encode: () => null, decode: () => new Odd() });
  assertSame(trip([...good, { id: 1, v: [new Odd()] }, new Odd()], encoder), [...good, { id: 1, v: [new Odd()] }, new Odd()]);
});

test("corrupt buffers are an error, and allocate little", () => {
  const check = (bytes: Uint8Array): void => {
    for (const options of [now, never]) {
      try {
        new BatchDecoder(options).decode(bytes.slice());
      } catch (error) {
        assert.ok(isMillraceError(error) && (error.code === "CODEC_CORRUPT" || error.code === "TYPE_NOT_REGISTERED"), String((error as Error).stack));
      }
    }
  };
  fc.assert(
    fc.property(anyRows, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), fc.boolean(), (rows, changes, inHead) => {
      const bytes = new Uint8Array(new BatchEncoder(now).encode(RecordBatch.withoutTimestamps(rows)));
      const head = inHead ? new DataView(bytes.buffer).getUint32(4, true) : 0;
      check(bytes.subarray(0, changes[0]![0] % bytes.length));
      for (const [at, byte] of changes) bytes[head + (at % (bytes.length - head))] = byte;
      check(bytes);
    }),
    { seed, numRuns: 1500 },
  );
  check(new Uint8Array([0x4d, 0x52, 0x42, 0x31, 8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0]));
});

test("detached values are equal, and copied only where long strings are", () => {
  const light = { a: 1, b: "short", c: [1, 2, { d: "twelve chars" }] };
  assert.equal(detachValue(light), light);
  fc.assert(fc.property(anyRows, (rows) => assertSame(detachValue(rows), rows)), { seed, numRuns: 500 });
  const heavy = { keep: light, text: "a string of more than twelve" };
  const copy = detachValue(heavy);
  assert.notEqual(copy, heavy);
  assert.equal(copy.keep, light);
  assert.equal(flattenString("\ud800".repeat(20)), "\ud800".repeat(20));
});
