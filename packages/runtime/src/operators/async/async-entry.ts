import type { Cancellable } from "@millrace/core";

/** A record on its way through an async operator. */
export interface AsyncRecord {
  readonly kind: "record";
  readonly value: unknown;
  readonly timestampMs: number;
  /** Results, once it is done. */
  results: readonly unknown[] | undefined;
  /** False while it waits for room below the capacity. */
  invoked: boolean;
  attempt: number;
  timeout: Cancellable | undefined;
  retry: Cancellable | undefined;
}

/** A watermark that waits for the records before it. */
export interface AsyncWatermark {
  readonly kind: "watermark";
  readonly timestampMs: number;
}

export type AsyncEntry = AsyncRecord | AsyncWatermark;
