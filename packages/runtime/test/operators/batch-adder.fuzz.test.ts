// Invariant: looking keys up together changes nothing: each slice has the same keys in the same order and the same values as when each record is added by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { keyHash, RecordBatch, type Output, type Slice } from "@millrace/core";
import { HeapKeyedStateBackend } from "@millrace/state";
import { batchAdder, type BatchAdder } from "../../src/operators/window/batch-adder.js";

interface Event {
  readonly key: string;
  readonly value: number;
}
const SLICE_MS = 10;
const out = {} as Output<unknown>;

/** Slices of ten milliseconds; those that a record went to are open, the first of them never. */
class Slices {
  readonly adder: BatchAdder;
  readonly #table;

  constructor(togetherFrom: number) {
    const clock = { monotonicMs: () => 0, nowMs: () => 0 };
    this.#table = new HeapKeyedStateBackend({ maxParallelism: 4, keyGroupRange: [0, 3], clock: clock as never }).sliceTable<unknown>("slices");
    this.adder = batchAdder("test", togetherFrom)(
      (value) => (value as Event).key,
      {
        first: (value) => (value as Event).value,
        add: (sum, value) => ((sum as number) * 31 + (value as Event).value) % 1_000_003,
        merge: () => assert.fail(), copy: () => assert.fail(), result: (sum) => sum,
      },
      this,
    );
  }

  addAnywhere(value: unknown, timestampMs: number, key: unknown, hash: number): void {
    const from = timestampMs - (timestampMs % SLICE_MS);
    const slice = this.#table.slice(from);
    this.adder.add(slice, value, key, hash);
    if (from > 0) this.adder.open(from, from + SLICE_MS, slice);
  }

  contents(): unknown {
    const all = (slice: Slice<unknown, unknown>): unknown => Array.from({ length: slice.size }, (_, at) => [slice.keyAt(at), slice.hashAt(at), slice.get(at)]);
    return this.#table.namespaces().map((from) => [from, all(this.#table.slice(from))]);
  }
}

test("records of a batch that are added together end where they would one by one", () => {
  const record = fc.record({ key: fc.integer({ min: 0, max: 30 }).map((key) => (key % 5 === 0 ? `someone with a long name ${key}` : `k${key}`)), timeMs: fc.nat(39), value: fc.nat(1000) });
  const batch = fc.record({ records: fc.array(record, { maxLength: 600, size: "max" }), hashed: fc.boolean(), close: fc.boolean() });
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 6 }), (batches) => {
      const together = new Slices(0);
      const single = new Slices(Number.POSITIVE_INFINITY);
      for (const { records, hashed, close } of batches) {
        const made = new RecordBatch<unknown>(records, Float64Array.from(records, ({ timeMs }) => timeMs));
        if (hashed) made.keyHashes = Int32Array.from(records, ({ key }) => keyHash(key));
        for (const { adder } of [together, single]) {
          adder.addBatch(made, 0, records.length, out);
          if (close) adder.close();
        }
      }
      assert.deepEqual(together.contents(), single.contents());
    }),
    { numRuns: Number(process.env["FUZZ_RUNS"] ?? 60) },
  );
});
