import { decodeValue, encodeValue } from "@millrace/core";
import type { WriteAheadBatch } from "./write-ahead-sink.js";

/** A batch as it waits in memory and in checkpoints: its records are encoded once, and are no objects until they are delivered. */
export interface KeptBatch<T> extends Omit<WriteAheadBatch<T>, "records"> {
  readonly encoded?: Uint8Array;
  /** In checkpoints of versions that did not encode them. */
  readonly records?: readonly T[];
}

export function encodeRecords(records: readonly unknown[]): Uint8Array {
  return encodeValue(records);
}

export function batchOf<T>({ id, createdMs, encoded, records }: KeptBatch<T>): WriteAheadBatch<T> {
  return { id, createdMs, records: encoded === undefined ? records! : (decodeValue(encoded) as readonly T[]) };
}
