import type { RecordBatch } from "@millrace/core";

/** Runs records `from` (inclusive) to `to` (exclusive) of a batch through a chain. */
export type ChainEntry = (batch: RecordBatch, from: number, to: number) => void;
