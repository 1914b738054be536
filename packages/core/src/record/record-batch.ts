import { NO_TIMESTAMP } from "../time/timestamps.js";

/** A control element that travels at a fixed position between the records of a batch. */
export type Mark =
  | { readonly at: number; readonly kind: "watermark"; readonly timestampMs: number }
  | { readonly at: number; readonly kind: "status"; readonly idle: boolean }
  | { readonly at: number; readonly kind: "latency"; readonly markedTimeMs: number; readonly operatorId: string; readonly subtaskIndex: number };

/**
 * A batch of records, the unit of work: parallel arrays of values and time stamps.
 *
 * Always this one hidden class, so that every loop over batches stays monomorphic. `values` and `timestampsMs` may be longer than `count`.
 * Ownership: whoever receives a batch may read it until it returns; keeping a value is fine (records are immutable), keeping the batch is not.
 */
export class RecordBatch<T = unknown> {
  count: number;
  values: T[];
  /** Event time per record; {@link NO_TIMESTAMP} where there is none. */
  timestampsMs: Float64Array;
  /** The 32-bit hash of each record's key as computed by the sender of a keyed exchange, or `null`. */
  keyHashes: Int32Array | null;
  /** Control elements between the records, ordered by `at` (the number of records before it), or `null` when there are none. */
  marks: Mark[] | null;
  /** What the sender has added up: each value is a pair of a key and an accumulator, instead of a record. */
  combined: boolean;

  constructor(values: T[], timestampsMs: Float64Array, count: number = values.length) {
    this.count = count;
    this.values = values;
    this.timestampsMs = timestampsMs;
    this.keyHashes = null;
    this.marks = null;
    this.combined = false;
  }

  /** A batch of values that carry no time stamps. */
  static withoutTimestamps<T>(values: T[]): RecordBatch<T> {
    return new RecordBatch(values, new Float64Array(values.length).fill(NO_TIMESTAMP));
  }
}
