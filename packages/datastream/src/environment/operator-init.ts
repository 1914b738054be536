import type { KeySelector, OutputTag, TypeInformation } from "@millrace/core";
import type { OperatorSpec, Partitioner, StreamNode } from "@millrace/graph";

/** One operator output that a stream reads from; a union has several. */
export interface StreamInput {
  readonly source: StreamNode;
  readonly partitioner: Partitioner;
  readonly sideOutput: OutputTag<any> | undefined;
}

/** What it takes to add an operator to a program. */
export interface OperatorInit {
  readonly spec: OperatorSpec;
  readonly name: string;
  /** Per input of the operator, the outputs it reads. */
  readonly inputs: readonly (readonly StreamInput[])[];
  /** Per input, for keyed operators. */
  readonly keySelectors?: readonly (KeySelector<any, any> | undefined)[] | undefined;
  readonly outputType?: TypeInformation<any> | undefined;
  readonly parallelism?: number;
  readonly forceNonParallel?: boolean;
}

/** The partitioner of an edge nobody said anything about. */
export const implicitForward: Partitioner = { kind: "forward", implicit: true };
