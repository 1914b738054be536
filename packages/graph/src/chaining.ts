import { OPERATOR_CHAINING, type Configuration } from "@millrace/core";
import type { ResolvedEdge, ResolvedGraph, ResolvedNode } from "./resolved-graph.js";

/** Operators that run as one task: a head, and each other member with the edge (inside the chain) that it reads. */
export interface Chain {
  readonly head: ResolvedNode;
  /** Head first; every other member comes after the one it reads. */
  readonly members: readonly ResolvedNode[];
}

/**
 * Whether the target of an edge runs in the task of its source. Flink's rules: the target has this one input edge only, the edge is one to one,
 * both have the same parallelism, max parallelism and slot sharing group, and neither operator forbids it. A keyed operator is always a head.
 */
export function isChainable(edge: ResolvedEdge, target: ResolvedNode, config: Configuration): boolean {
  const { source } = edge;
  return (
    config.get(OPERATOR_CHAINING) &&
    target.inputs.length === 1 &&
    edge.partitioner === "forward" &&
    !target.keyed &&
    target.node.chaining === "always" &&
    source.node.chaining !== "never" &&
    source.parallelism === target.parallelism &&
    source.maxParallelism === target.maxParallelism &&
    source.slotSharingGroup === target.slotSharingGroup
  );
}

/** Cuts a program into chains, in program order of their heads. */
export function buildChains(graph: ResolvedGraph, config: Configuration): readonly Chain[] {
  const children = new Map<ResolvedNode, ResolvedNode[]>();
  const heads: ResolvedNode[] = [];
  for (const node of graph.nodes) {
    const edge = node.inputs[0];
    if (edge === undefined || !isChainable(edge, node, config)) heads.push(node);
    else children.set(edge.source, [...(children.get(edge.source) ?? []), node]);
  }
  return heads.map((head) => {
    const members: ResolvedNode[] = [];
    const pending = [head];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      members.push(node);
      pending.push(...(children.get(node) ?? []).toReversed());
    }
    return { head, members };
  });
}

/** `A -> B -> (C, D -> E)`, as Flink names chains. */
export function chainName(chain: Chain): string {
  const inside = new Set(chain.members);
  const nameOf = (node: ResolvedNode): string => {
    const next = chain.members.filter((member) => member !== chain.head && inside.has(member) && member.inputs[0]!.source === node).map(nameOf);
    if (next.length === 0) return node.name;
    return `${node.name} -> ${next.length === 1 ? next[0] : `(${next.join(", ")})`}`;
  };
  return nameOf(chain.head);
}
