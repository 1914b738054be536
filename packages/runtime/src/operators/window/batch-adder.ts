import { keyHash, type KeySelector, type Output, type RecordBatch, type Slice } from "@millrace/core";
import { specialize } from "../specialize.js";
import type { Accumulate } from "./accumulate.js";

/** Adds a record that is in no open slice, with everything that may come of it. */
export interface SlowPath {
  addAnywhere(value: unknown, timestampMs: number, key: unknown, hash: number, out: Output<unknown>): void;
}

/** The slices that records of a batch can be added to straight away, and how: made by {@link batchAdder}. */
export interface BatchAdder {
  /** From now on records in [fromMs, toMs) belong to `table` and to nothing else, and none of them is late. The two slices opened last are open. */
  open(fromMs: number, toMs: number, table: Slice<unknown, unknown>): void;
  /** Closes both: the watermark has moved, or slices went. */
  close(): void;
  /** Adds a record to a slice; the position of its key. */
  add(table: Slice<unknown, unknown>, value: unknown, key: unknown, hash: number): number;
  /** Adds what a sender has added up to a slice. */
  merge(table: Slice<unknown, unknown>, accumulator: unknown, key: unknown, hash: number): void;
  addRecord(value: unknown, timestampMs: number, key: unknown, hash: number, out: Output<unknown>): void;
  addBatch(batch: RecordBatch, from: number, to: number, out: Output<unknown>): void;
}

export type MakeBatchAdder = (keyOf: KeySelector<unknown, unknown>, accumulate: Accumulate, slowPath: SlowPath) => BatchAdder;

/** Entries from which on a slice outgrows the processor's cache, so that looking keys up together is worth going through the records more than once. */
const TOGETHER_FROM = 8192;
/** Records whose keys are looked up together: enough for their cache misses to overlap, few enough for the records to stay in the cache meanwhile. */
const RUN = 128;

/**
 * Re-evaluated per operator, see `specialize`.
 *
 * A run of records is gone through three times: keys are taken and sorted by slice, all are looked up, then the values are added in the order of the records.
 */
function batchAdderFactory(run: number, togetherFrom: number, hashOf: typeof keyHash): MakeBatchAdder {
  class Adder implements BatchAdder {
    private readonly keyOf: KeySelector<unknown, unknown>;
    private readonly accumulate: Accumulate;
    private readonly slowPath: SlowPath;
    private fromMs = Number.POSITIVE_INFINITY;
    private toMs = Number.NEGATIVE_INFINITY;
    private table: Slice<unknown, unknown> | undefined = undefined;
    private otherFromMs = Number.POSITIVE_INFINITY;
    private otherToMs = Number.NEGATIVE_INFINITY;
    private otherTable: Slice<unknown, unknown> | undefined = undefined;
    private readonly keys: unknown[] = new Array<unknown>(run).fill(undefined);
    private readonly hashes = new Int32Array(run);
    private readonly positions = new Int32Array(run);
    private readonly otherKeys: unknown[] = new Array<unknown>(run).fill(undefined);
    private readonly otherHashes = new Int32Array(run);
    private readonly otherPositions = new Int32Array(run);

    constructor(keyOf: KeySelector<unknown, unknown>, accumulate: Accumulate, slowPath: SlowPath) {
      this.keyOf = keyOf;
      this.accumulate = accumulate;
      this.slowPath = slowPath;
    }

    open(fromMs: number, toMs: number, table: Slice<unknown, unknown>): void {
      if (this.table === table) return;
      this.otherFromMs = this.fromMs;
      this.otherToMs = this.toMs;
      this.otherTable = this.table;
      this.fromMs = fromMs;
      this.toMs = toMs;
      this.table = table;
    }

    close(): void {
      this.fromMs = this.otherFromMs = Number.POSITIVE_INFINITY;
      this.toMs = this.otherToMs = Number.NEGATIVE_INFINITY;
      this.table = this.otherTable = undefined;
    }

    add(table: Slice<unknown, unknown>, value: unknown, key: unknown, hash: number): number {
      const position = table.upsert(key, hash);
      this.addAt(table, position, value);
      return position;
    }

    private addAt(table: Slice<unknown, unknown>, position: number, value: unknown): void {
      const accumulator = table.get(position);
      table.set(position, accumulator === undefined ? this.accumulate.first(value) : this.accumulate.add(accumulator, value));
    }

    merge(table: Slice<unknown, unknown>, accumulator: unknown, key: unknown, hash: number): void {
      const position = table.upsert(key, hash);
      const own = table.get(position);
      table.set(position, own === undefined ? accumulator : this.accumulate.merge(own, accumulator));
    }

    addRecord(value: unknown, timestampMs: number, key: unknown, hash: number, out: Output<unknown>): void {
      if (timestampMs >= this.fromMs && timestampMs < this.toMs) this.add(this.table!, value, key, hash);
      else if (timestampMs >= this.otherFromMs && timestampMs < this.otherToMs) this.add(this.otherTable!, value, key, hash);
      else this.slowPath.addAnywhere(value, timestampMs, key, hash, out);
    }

    addBatch(batch: RecordBatch, from: number, to: number, out: Output<unknown>): void {
      for (let start = from; start < to; ) {
        const end = Math.min(start + run, to);
        const { table } = this;
        if (table?.upsertAll !== undefined && table.size >= togetherFrom) this.addRun(batch, start, end, out);
        else this.addEach(batch, start, end, out);
        start = end;
      }
    }

    private addEach({ values, timestampsMs, keyHashes }: RecordBatch, from: number, to: number, out: Output<unknown>): void {
      for (let i = from; i < to; i++) {
        const value = values[i];
        const key = this.keyOf(value);
        this.addRecord(value, timestampsMs[i]!, key, keyHashes !== null ? keyHashes[i]! : hashOf(key), out);
      }
    }

    private addRun({ values, timestampsMs, keyHashes }: RecordBatch, from: number, to: number, out: Output<unknown>): void {
      const { fromMs, toMs, otherFromMs, otherToMs, keys, hashes, positions, otherKeys, otherHashes, otherPositions } = this;
      const table = this.table!;
      const otherTable = this.otherTable;
      let count = 0;
      let otherCount = 0;
      for (let i = from; i < to; i++) {
        const timestampMs = timestampsMs[i]!;
        if (timestampMs >= fromMs && timestampMs < toMs) {
          const key = this.keyOf(values[i]);
          keys[count] = key;
          hashes[count++] = keyHashes !== null ? keyHashes[i]! : hashOf(key);
        } else if (timestampMs >= otherFromMs && timestampMs < otherToMs) {
          const key = this.keyOf(values[i]);
          otherKeys[otherCount] = key;
          otherHashes[otherCount++] = keyHashes !== null ? keyHashes[i]! : hashOf(key);
        }
      }
      table.upsertAll!(keys, hashes, count, positions);
      if (otherCount > 0) otherTable!.upsertAll!(otherKeys, otherHashes, otherCount, otherPositions);
      count = 0;
      otherCount = 0;
      for (let i = from; i < to; i++) {
        const value = values[i];
        const timestampMs = timestampsMs[i]!;
        if (timestampMs >= fromMs && timestampMs < toMs) this.addAt(table, positions[count++]!, value);
        else if (timestampMs >= otherFromMs && timestampMs < otherToMs) this.addAt(otherTable!, otherPositions[otherCount++]!, value);
        else {
          const key = this.keyOf(value);
          this.slowPath.addAnywhere(value, timestampMs, key, keyHashes !== null ? keyHashes[i]! : hashOf(key), out);
        }
      }
    }
  }
  return (keyOf, accumulate, slowPath) => new Adder(keyOf, accumulate, slowPath);
}

/** What makes the batch adder of an operator; keys are looked up together in slices of at least `togetherFrom` entries. */
export function batchAdder(operatorId: string, togetherFrom: number = TOGETHER_FROM): MakeBatchAdder {
  return specialize(batchAdderFactory, operatorId)(RUN, togetherFrom, keyHash);
}
