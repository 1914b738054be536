import type { RecordBatch } from "@millrace/core";

/** Runs records `from` (inclusive) to `to` (exclusive) of a batch through a chain. */
export type ChainEntry = (batch: RecordBatch, from: number, to: number) => void;

/** Makes the records of `count` indexes from `first` on, and runs each through a chain as it is made. */
export type GeneratingEntry = (generate: (index: number) => unknown, first: number, count: number) => void;
