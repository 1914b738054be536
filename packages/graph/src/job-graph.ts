import type { OperatorSignature } from "./operator-signature.js";

/** The plan of a job as plain JSON: what travels between client, JobManager and slots. Functions are not in it. */
export interface JobGraph {
  readonly jobId: string;
  readonly jobName: string;
  readonly vertices: readonly JobVertex[];
  readonly edges: readonly JobEdge[];
  readonly runtimeMode: "STREAMING" | "BATCH";
  /** Configuration that differs from the defaults. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Global job parameters. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Results of `env.once`, encoded by the exchange codec as base64. */
  readonly once: Readonly<Record<string, string>>;
  readonly cachedFiles: Readonly<Record<string, string>>;
  /** Hash over everything that two runs of the module must agree on. */
  readonly fingerprint: string;
}

/** A chain of operators that runs as one task per subtask. */
export interface JobVertex {
  /** The id of its head operator, 32 hex digits. */
  readonly id: string;
  readonly name: string;
  /** The operators' descriptions, where they have any. */
  readonly description?: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** It sees all records: no scheduler may make it wider. */
  readonly nonParallel?: true;
  readonly slotSharingGroup: string;
  /** Head first; every other operator comes after the one it reads. */
  readonly operators: readonly ChainedOperator[];
  readonly bufferTimeoutMs: number;
}

/** One operator inside a vertex. */
export interface ChainedOperator {
  readonly id: string;
  /** Id of the StreamNode in the captured graph, which holds the functions. */
  readonly nodeId: number;
  readonly uid: string | undefined;
  readonly name: string;
  readonly type: string;
  /** Whether it has keyed state: its inputs are keyed, or it is a window over all records (one constant key). */
  readonly keyed: boolean;
  readonly numberOfInputs: number;
  /** Labels that reporters add to its own. */
  readonly metricVariables?: Readonly<Record<string, string>>;
  /** Which operator of this chain it reads, and which of its outputs; absent for the head. */
  readonly chainedTo?: { readonly operatorId: string; readonly sideOutput?: string };
  /** What {@link compareFingerprints} tells two runs of the module apart by. Set by `translate`. */
  readonly signature?: OperatorSignature;
}

/** An exchange between two vertices. */
export interface JobEdge {
  readonly id: string;
  readonly sourceVertexId: string;
  /** The operator in the source vertex whose output this is. */
  readonly sourceOperatorId: string;
  readonly targetVertexId: string;
  /** Input index of the target's head operator. */
  readonly inputIndex: number;
  readonly partitioner: "forward" | "rebalance" | "rescale" | "shuffle" | "broadcast" | "global" | "hash" | "custom";
  /** For hash and custom edges: the StreamNode and its input edge that hold the functions. */
  readonly targetNodeId: number;
  readonly targetEdgeIndex: number;
  readonly sideOutput?: string;
  /** `blocking` edges are read only after their producer finished (batch mode). */
  readonly exchange: "pipelined" | "blocking";
}
