import { resolveGraph } from "./resolved-graph.js";
import type { Pipeline } from "./executor.js";
import type { JobGraph } from "./job-graph.js";

/** The program as Flink's `getExecutionPlan()` shows it, before chaining. */
export interface StreamPlan {
  readonly nodes: readonly StreamPlanNode[];
}
export interface StreamPlanNode {
  readonly id: number;
  readonly type: string;
  readonly pact: "Data Source" | "Operator" | "Data Sink";
  readonly contents: string;
  readonly parallelism: number;
  readonly predecessors?: readonly { readonly id: number; readonly ship_strategy: string; readonly side: "second" }[];
}

/** @throws what {@link resolveGraph} throws for a program that cannot run */
export function streamPlan(pipeline: Pipeline): StreamPlan {
  const { nodes } = resolveGraph(pipeline.graph, pipeline.config);
  return {
    nodes: nodes.map((resolved): StreamPlanNode => {
      const { node } = resolved;
      return {
        id: node.id,
        type: resolved.name,
        pact: node.spec.type === "source" ? "Data Source" : node.spec.type === "sink" ? "Data Sink" : "Operator",
        contents: node.description ?? resolved.name,
        parallelism: resolved.parallelism,
        ...(resolved.inputs.length === 0
          ? {}
          : { predecessors: resolved.inputs.map((input) => ({ id: input.source.node.id, ship_strategy: input.partitioner.toUpperCase(), side: "second" as const })) }),
      };
    }),
  };
}

/** The deployed plan as Flink's REST API shows it under `/jobs/:id/plan`. */
export interface JobPlan {
  readonly jid: string;
  readonly name: string;
  readonly type: "STREAMING" | "BATCH";
  readonly nodes: readonly JobPlanNode[];
}
export interface JobPlanNode {
  readonly id: string;
  readonly parallelism: number;
  readonly operator: string;
  readonly operator_strategy: string;
  readonly description: string;
  readonly inputs?: readonly { readonly num: number; readonly id: string; readonly ship_strategy: string; readonly exchange: string }[];
  readonly optimizer_properties: Readonly<Record<string, never>>;
}

export function jobPlan(graph: JobGraph): JobPlan {
  return {
    jid: graph.jobId,
    name: graph.jobName,
    type: graph.runtimeMode,
    nodes: graph.vertices.map((vertex): JobPlanNode => {
      const inputs = graph.edges.filter((edge) => edge.targetVertexId === vertex.id);
      return {
        id: vertex.id,
        parallelism: vertex.parallelism,
        operator: "",
        operator_strategy: "",
        description: vertex.description ?? vertex.name,
        ...(inputs.length === 0
          ? {}
          : {
              inputs: inputs.map((edge, num) => ({
                num, id: edge.sourceVertexId, ship_strategy: edge.partitioner.toUpperCase(), exchange: edge.exchange === "blocking" ? "blocking" : "pipelined_bounded",
              })),
            }),
        optimizer_properties: {},
      };
    }),
  };
}
