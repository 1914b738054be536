/**
 * Speed of the exchange codec beside the structured clone of this host, in one process, on a 6-field record with two strings.
 *
 * Run: `node --import tsx packages/core/test/codec/codec.bench.ts [seconds per case]`. Prints millions of records a second; compare ratios.
 */
import { deserialize, serialize } from "node:v8";
import { BatchDecoder, BatchEncoder, RecordBatch, decodeValue, encodeValue, keyHash } from "../../src/index.js";

const BATCH = 1024;
const seconds = Number(process.argv[2] ?? 1);

function measure(name: string, perCall: number, action: (i: number) => unknown): void {
  const warmUntil = performance.now() + 300;
  for (let i = 0; performance.now() < warmUntil; i++) action(i);
  let best = Infinity;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    let calls = 0;
    while (performance.now() - start < (seconds * 1000) / 5) for (let k = 0; k < 8; k++) action(calls++);
    best = Math.min(best, (performance.now() - start) / (calls * perCall));
  }
  console.log(`${name.padEnd(44)} ${(1e-3 / best).toFixed(1).padStart(8)} M/s ${(best * 1e6).toFixed(1).padStart(8)} ns`);
}

/** Strings as a parser makes them, not constants. */
const fresh = (text: string): string => JSON.parse(JSON.stringify(text)) as string;

function batches(make: (i: number) => unknown): RecordBatch[] {
  return Array.from({ length: 8 }, (_, b) => {
    const values = Array.from({ length: BATCH }, (_unused, i) => make(b * BATCH + i));
    const times = Float64Array.from(values, (_unused, i) => 1_700_000_000_000 + b * BATCH + i);
    return new RecordBatch(values, times);
  });
}

function both(name: string, make: (i: number) => unknown): void {
  const input = batches(make);
  const encoder = new BatchEncoder();
  const decoder = new BatchDecoder();
  measure(`${name}: encode`, BATCH, (i) => encoder.encode(input[i & 7]!));
  const buffers = input.map((batch) => encoder.encode(batch));
  measure(`${name}: decode (${(buffers[0]!.byteLength / BATCH).toFixed(1)} bytes each)`, BATCH, (i) => decoder.decode(buffers[i & 7]!));
}

const record = (i: number): object => ({
  id: i, user: fresh(`user-${(i * 7919) % 100_000}`), city: fresh(`city ${i % 500}`), price: i * 1.37, quantity: i % 100, express: i % 3 === 0,
});
both("6 fields, 2 strings", record);
const sample = batches(record)[0]!.values;
const serialized = serialize(sample);
measure("  v8.serialize", BATCH, () => serialize(sample));
measure("  v8.deserialize", BATCH, () => deserialize(serialized));
const encoded = encodeValue(sample);
measure("  encodeValue", BATCH, () => encodeValue(sample));
measure("  decodeValue", BATCH, () => decodeValue(encoded));
both("4 integers", (i) => ({ a: i, b: i % 7, c: i * 3, d: i % 1000 }));
both("[string, number]", (i) => [fresh(`word${i % 1000}`), 1]);
both("numbers", (i) => i * 0.5);
both("strings", (i) => fresh(`key-${i % 5000}`));
both("nested, nullable", (i) => ({ id: i, at: { x: i / 3, y: -i }, note: i % 4 === 0 ? null : fresh(`n${i % 50}`) }));
both("two shapes in turn", (i) => (i % 2 === 0 ? { a: i, b: 1.5 } : { a: i, c: 2.5, d: true }));
both("a list in a field (no column)", (i) => ({ id: i, tags: ["a", "b"] }));

const words = Array.from({ length: 4096 }, (_, i) => fresh(`user-${i}`));
measure("keyHash of a string of 9", 4096, () => {
  let sum = 0;
  for (const word of words) sum ^= keyHash(word);
  return sum;
});
measure("keyHash of an int", 4096, () => {
  let sum = 0;
  for (let i = 0; i < 4096; i++) sum ^= keyHash(i);
  return sum;
});
