import type { OneInputOperator, Output, RecordBatch } from "@millrace/core";

/** An operator that also takes what senders have added up. */
export interface CombinedInput extends OneInputOperator {
  /** As `processBatch` for a batch that is `combined`. */
  processCombined(batch: RecordBatch, from: number, to: number, out: Output<unknown>): void;
}

export function takesCombined(operator: object): operator is CombinedInput {
  return typeof (operator as Partial<CombinedInput>).processCombined === "function";
}
