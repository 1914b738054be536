import type { KeySelector, OutputTag, PartitionFn, TypeInformation } from "@millrace/core";
import type { OperatorSpec } from "./operator-spec.js";

/** How records go from the subtasks of one operator to those of the next. `implicit` marks a forward edge nobody asked for: it becomes a rebalance between different parallelisms. */
export type Partitioner =
  | { readonly kind: "forward" | "rebalance" | "rescale" | "shuffle" | "broadcast" | "global"; readonly implicit?: true }
  | { readonly kind: "hash"; readonly keySelector: KeySelector<any, any> }
  | { readonly kind: "custom"; readonly keySelector: KeySelector<any, any>; readonly partition: PartitionFn<any> };

export type PartitionerKind = Partitioner["kind"];

export type ChainingStrategy = "always" | "head" | "never";

/** One operator of the program, before chaining. Attributes are set by the API until the graph is translated. */
export interface StreamNode {
  readonly id: number;
  readonly spec: OperatorSpec;
  name: string;
  uid: string | undefined;
  /** The operator's id, whatever else would make it: 32 hex digits. */
  uidHash?: string | undefined;
  description: string | undefined;
  /** `undefined`: the environment's. */
  parallelism: number | undefined;
  maxParallelism: number | undefined;
  /** Operators that can only run with parallelism 1 (windowAll, global sinks). */
  forceNonParallel: boolean;
  slotSharingGroup: string | undefined;
  chaining: ChainingStrategy;
  bufferTimeoutMs: number | undefined;
  /** Labels that reporters add to the operator's own. */
  metricVariables?: Readonly<Record<string, string>>;
  outputType: TypeInformation<unknown> | undefined;
  /** One per input for keyed operators, in input order; an input that is not keyed (broadcast) holds `undefined`. */
  readonly keySelectors: readonly (KeySelector<any, any> | undefined)[];
  readonly inputs: readonly StreamEdge[];
}

/** An input of a node. */
export interface StreamEdge {
  readonly source: StreamNode;
  /** Which input of the target this edge feeds, 0-based; several edges with one index are a union. */
  readonly inputIndex: number;
  readonly partitioner: Partitioner;
  /** Set when the edge carries a side output. */
  readonly sideOutput: OutputTag<any> | undefined;
}

/** The program as the user wrote it. */
export interface StreamGraph {
  readonly nodes: readonly StreamNode[];
}
