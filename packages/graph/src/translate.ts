import { BUFFER_TIMEOUT, type Configuration } from "@millrace/core";
import { buildChains, chainName, type Chain } from "./chaining.js";
import type { Pipeline } from "./executor.js";
import { fingerprintOf } from "./fingerprint.js";
import type { ChainedOperator, JobEdge, JobGraph, JobVertex } from "./job-graph.js";
import { operatorSignature } from "./operator-signature.js";
import { resolveGraph, type ResolvedEdge, type ResolvedNode } from "./resolved-graph.js";
import type { PartitionerKind } from "./stream-graph.js";

export interface TranslateOptions {
  /** 32 hex digits; the caller's, since nothing here may be random. */
  readonly jobId: string;
  /** Results of `env.once`, already encoded; default none. */
  readonly once?: Readonly<Record<string, string>>;
}

/**
 * Turns what a program handed to `execute()` into the plan that is deployed: ids, chains, exchanges, fingerprint. Pure: the same input gives the same plan.
 *
 * The plan is plain JSON. A slot that captured the same program finds an operator's functions by `ChainedOperator.nodeId`, and those of an exchange by
 * `JobEdge.targetNodeId` and `targetEdgeIndex`.
 * @throws `GRAPH_EMPTY`, `DUPLICATE_UID`, `PARALLELISM_INVALID`, `UNBOUNDED_IN_BATCH`
 */
export function translate(pipeline: Pipeline, options: TranslateOptions): JobGraph {
  const { config } = pipeline;
  const graph = resolveGraph(pipeline.graph, config);
  const chains = buildChains(graph, config);
  const vertices = chains.map((chain) => vertexOf(chain, config));
  return {
    jobId: options.jobId,
    jobName: pipeline.jobName,
    vertices,
    edges: chains.flatMap((chain) => edgesInto(chain, chains, graph.runtimeMode)),
    runtimeMode: graph.runtimeMode,
    config: config.toJSON(),
    parameters: pipeline.parameters,
    once: options.once ?? {},
    cachedFiles: pipeline.cachedFiles,
    fingerprint: fingerprintOf(vertices),
  };
}

function vertexOf(chain: Chain, config: Configuration): JobVertex {
  const { head, members } = chain;
  const timeouts = members.map((member) => member.node.bufferTimeoutMs).filter((timeout) => timeout !== undefined);
  const descriptions = members.map((member) => member.node.description ?? member.name);
  return {
    id: head.operatorId,
    name: chainName(chain),
    description: descriptions.join(" -> "),
    parallelism: head.parallelism,
    maxParallelism: head.maxParallelism,
    ...(members.some(({ node }) => node.forceNonParallel) ? { nonParallel: true as const } : {}),
    slotSharingGroup: head.slotSharingGroup,
    operators: members.map((member) => operatorOf(member, head)),
    bufferTimeoutMs: timeouts.length > 0 ? Math.min(...timeouts) : config.get(BUFFER_TIMEOUT),
  };
}

function operatorOf(member: ResolvedNode, head: ResolvedNode): ChainedOperator {
  const { node } = member;
  const input = member === head ? undefined : member.inputs[0]!;
  return {
    id: member.operatorId,
    nodeId: node.id,
    uid: node.uid,
    name: member.name,
    type: node.spec.type,
    keyed: member.keyed,
    numberOfInputs: member.numberOfInputs,
    ...(node.metricVariables === undefined ? {} : { metricVariables: node.metricVariables }),
    ...(input === undefined
      ? {}
      : { chainedTo: { operatorId: input.source.operatorId, ...(input.edge.sideOutput === undefined ? {} : { sideOutput: input.edge.sideOutput.id }) } }),
    signature: operatorSignature(member),
  };
}

function edgesInto(chain: Chain, chains: readonly Chain[], mode: "STREAMING" | "BATCH"): JobEdge[] {
  return chain.head.inputs.map((input) => {
    const source = chains.find((candidate) => candidate.members.includes(input.source))!;
    return edgeOf(input, source.head, chain.head, mode);
  });
}

function edgeOf(input: ResolvedEdge, sourceHead: ResolvedNode, target: ResolvedNode, mode: "STREAMING" | "BATCH"): JobEdge {
  return {
    id: `${input.source.operatorId}-${target.operatorId}-${input.index}`,
    sourceVertexId: sourceHead.operatorId,
    sourceOperatorId: input.source.operatorId,
    targetVertexId: target.operatorId,
    inputIndex: input.edge.inputIndex,
    partitioner: input.partitioner,
    targetNodeId: target.node.id,
    targetEdgeIndex: input.index,
    ...(input.edge.sideOutput === undefined ? {} : { sideOutput: input.edge.sideOutput.id }),
    exchange: mode === "BATCH" && isAllToAll(input.partitioner) ? "blocking" : "pipelined",
  };
}

/** Whether every producer may send to every consumer; forward and rescale edges tie a consumer to few producers. */
export function isAllToAll(partitioner: PartitionerKind): boolean {
  return partitioner !== "forward" && partitioner !== "rescale";
}
