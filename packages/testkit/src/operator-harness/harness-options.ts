import type { Operator, OperatorFactory } from "@millrace/core";
import type { OperatorSpec } from "@millrace/graph";
import type { HarnessSnapshot } from "./harness-snapshot.js";

/** What a harness runs: a spec as the DataStream API writes it, or a factory of the operator SPI. */
export type HarnessOperator = Exclude<OperatorSpec, { readonly type: "source" | "sink" }> | OperatorFactory<Operator<any>>;

/** How the operator's subtask is set up. All optional. */
export interface HarnessOptions {
  /** Where the manual clock starts; default 0. */
  readonly startTimeMs?: number;
  /** Default 0 of 1. */
  readonly subtaskIndex?: number;
  readonly parallelism?: number;
  /** Number of key groups; default 128. */
  readonly maxParallelism?: number;
  readonly runtimeMode?: "STREAMING" | "BATCH";
  readonly operatorName?: string;
  readonly jobParameters?: Readonly<Record<string, string>>;
  /** What `random()` returns; default: always 0.5. */
  readonly random?: () => number;
  /**
   * The snapshot to start from. To change the parallelism give the snapshots of all old subtasks, in order, and `subtaskIndex` and `parallelism` of the
   * new one: it takes its key groups and its share of operator state.
   */
  readonly restore?: HarnessSnapshot | readonly HarnessSnapshot[];
}
