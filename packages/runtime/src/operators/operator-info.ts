import type { KeySelector } from "@millrace/core";

/** What an operator needs to know beyond its spec and its context. */
export interface OperatorInfo {
  /** BATCH: input is bounded and results are emitted once, at its end. */
  readonly runtimeMode: "STREAMING" | "BATCH";
  /** One per input; `undefined` for an input that is not keyed. */
  readonly keySelectors: readonly (KeySelector<any, any> | undefined)[];
}
