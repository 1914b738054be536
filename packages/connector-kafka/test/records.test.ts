import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { COMPRESSION_TYPES } from "../src/records/compression.js";
import { crc32c } from "../src/records/crc32c.js";
import { murmur2 } from "../src/records/murmur2.js";
import { RecordBatchBuilder } from "../src/records/record-batch-builder.js";
import { CorruptRecords, RecordCursor } from "../src/records/record-cursor.js";
import { BASE_OFFSET } from "../src/records/record-batch-layout.js";

interface Plain {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestampMs: number;
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[];
}

const bytes = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null });
const record: fc.Arbitrary<Plain> = fc.record({
  key: bytes, value: bytes, timestampMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  headers: fc.array(fc.record({ key: fc.string({ unit: "grapheme" }), value: bytes }, { noNullPrototype: true }), { maxLength: 3 }),
}, { noNullPrototype: true });

function batchOf(records: readonly Plain[], baseOffset: number, compression: (typeof COMPRESSION_TYPES)[number], transaction?: { readonly producerId: bigint }): Buffer {
  const builder = new RecordBatchBuilder();
  for (const { key, value, timestampMs, headers } of records) builder.append(key, value, timestampMs, headers);
  const batch = builder.finish({ producerId: transaction?.producerId ?? -1n, producerEpoch: 0, baseSequence: 0, isTransactional: transaction !== undefined }, compression);
  batch.writeBigInt64BE(BigInt(baseOffset), BASE_OFFSET);
  return batch;
}

function readAll(cursor: RecordCursor): (Plain & { readonly offset: number })[] {
  const found: (Plain & { readonly offset: number })[] = [];
  while (cursor.next()) {
    const headers: { key: string; value: Uint8Array | null }[] = [];
    cursor.forEachHeader((key, value) => headers.push({ key, value: value === null ? null : new Uint8Array(value) }));
    found.push({
      offset: cursor.offset, timestampMs: cursor.timestampMs, headers,
      key: cursor.keyStart < 0 ? null : new Uint8Array(cursor.bytes.subarray(cursor.keyStart, cursor.keyEnd)),
      value: cursor.valueStart < 0 ? null : new Uint8Array(cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd)),
    });
  }
  return found;
}

test("what is written into batches is read from them, from any offset on", () => {
  fc.assert(fc.property(fc.array(fc.array(record, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 4 }), fc.constantFrom(...COMPRESSION_TYPES), fc.nat(60), (batches, compression, from) => {
    let offset = 0;
    const log: Buffer[] = [];
    const expected: (Plain & { readonly offset: number })[] = [];
    for (const records of batches) {
      log.push(batchOf(records, offset, compression));
      for (const one of records) expected.push({ ...one, offset: offset++ });
    }
    const cursor = new RecordCursor(Buffer.concat([...log, log[0]!.subarray(0, -1)]), from, null);
    assert.deepEqual(readAll(cursor), expected.filter((one) => one.offset >= from));
    assert.equal(cursor.nextOffset, Math.max(from, offset));
  }));
});

test("damage is found, wherever it is", () => {
  const whole = batchOf(Array.from({ length: 5 }, (_, i) => ({ key: null, value: Buffer.from(`value ${i}`), timestampMs: 1, headers: [] })), 0, "none");
  fc.assert(fc.property(fc.integer({ min: 16, max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= change;
    assert.throws(() => readAll(new RecordCursor(damaged, 0, null)), CorruptRecords);
  }));
});

test("records of aborted transactions are left out, those of later ones of the same producer are not", () => {
  const one = (text: string): Plain[] => [{ key: null, value: Buffer.from(text), timestampMs: 1, headers: [] }];
  const marker = batchOf(one("marker"), 2, "none", { producerId: 7n });
  // Attributes: transactional and control.
  marker.writeInt16BE(0x30, 21);
  marker.writeUInt32BE(crc32c(marker, 21, marker.length), 17);
  const log = Buffer.concat([batchOf(one("aborted"), 0, "none", { producerId: 7n }), batchOf(one("other"), 1, "none", { producerId: 8n }), marker, batchOf(one("later"), 3, "none", { producerId: 7n })]);
  const texts = (aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[] | null): string[] => readAll(new RecordCursor(log, 0, aborted)).map(({ value }) => String(Buffer.from(value!)));
  assert.deepEqual(texts([{ producerId: 7n, firstOffset: 0n }]), ["other", "later"]);
  assert.deepEqual(texts([]), ["aborted", "other", "later"]);
  assert.deepEqual(texts(null), ["aborted", "other", "later"]);
});

test("checksum and hash are those of the specifications", () => {
  // RFC 3720, B.4.
  assert.equal(crc32c(Buffer.from("123456789"), 0, 9), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32), 0, 32), 0x8a9136aa);
  assert.equal(crc32c(Buffer.alloc(32, 0xff), 0, 32), 0x62a8ab43);
  // Values of Kafka's own tests.
  assert.deepEqual(["21", "foobar", "a-little-bit-long-string", "a-little-bit-longer-string", "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", "abc"].map((text) => murmur2(Buffer.from(text))),
    [-973932308, -790332482, -985981536, -1486304829, -58897971, 479470107]);
});
