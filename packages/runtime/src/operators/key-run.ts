import type { KeyedStateBackend, RecordBatch, Slice } from "@millrace/core";

/** Records whose keys are looked up together. */
const RUN_RECORDS = 1024;

/** Keys of some records of a batch, and their positions in a slice. Reused from run to run. */
export class KeyRun {
  readonly keys: unknown[];
  hashes: Int32Array;
  readonly positions: Int32Array;

  constructor() {
    this.keys = new Array<unknown>(RUN_RECORDS).fill(undefined);
    this.hashes = new Int32Array(RUN_RECORDS);
    this.positions = new Int32Array(RUN_RECORDS);
  }
}

/**
 * Looks up the keys of the next records of a batch, from `from` on, at once where the backend can; missing ones are inserted. Returns the index after the last.
 *
 * Leaves the operator's current key alone, unless the batch has no hashes.
 */
export function upsertRun(
  run: KeyRun, slice: Slice<unknown, unknown>, state: KeyedStateBackend, keyOf: (value: unknown) => unknown, batch: RecordBatch, from: number, to: number,
): number {
  const { values, keyHashes } = batch;
  const end = Math.min(to, from + RUN_RECORDS);
  const count = end - from;
  const { keys, positions, hashes } = run;
  for (let i = 0; i < count; i++) keys[i] = keyOf(values[from + i]);
  if (keyHashes !== null) {
    for (let i = 0; i < count; i++) hashes[i] = keyHashes[from + i]!;
  } else {
    for (let i = 0; i < count; i++) {
      state.setCurrentKey(keys[i]);
      hashes[i] = state.currentKeyHash;
    }
  }
  if (slice.upsertAll !== undefined) slice.upsertAll(keys, hashes, count, positions);
  else for (let i = 0; i < count; i++) positions[i] = slice.upsert(keys[i], hashes[i]!);
  return end;
}
