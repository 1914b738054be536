import type { Cancellable, SerializedError } from "@millrace/core";

/** What all tasks of a job are stopped for. */
export type Goal = { readonly kind: "rescale" } | { readonly kind: "failed"; readonly error: SerializedError } | { readonly kind: "canceled" };

/** A part of a job on its way down and up again. */
export interface Restart {
  readonly cause: SerializedError;
  readonly notBeforeMs: number;
  timer?: Cancellable;
}
