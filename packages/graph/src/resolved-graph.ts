import { defaultMaxParallelism, MAX_PARALLELISM, MillraceError, PARALLELISM, type Configuration } from "@millrace/core";
import { assignOperatorIds } from "./operator-id.js";
import { checkParallelism, invalidParallelism } from "./parallelism.js";
import { resolveRuntimeMode } from "./runtime-mode.js";
import type { PartitionerKind, StreamEdge, StreamGraph, StreamNode } from "./stream-graph.js";

/** An operator with everything decided that the program left open. */
export interface ResolvedNode {
  readonly node: StreamNode;
  readonly operatorId: string;
  /** The name with its role: `Source: …`, `Sink: …`. */
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly slotSharingGroup: string;
  /** Whether the operator has keyed state. */
  readonly keyed: boolean;
  readonly numberOfInputs: number;
  readonly inputs: readonly ResolvedEdge[];
}

export interface ResolvedEdge {
  readonly edge: StreamEdge;
  /** Position in the target's `inputs`. */
  readonly index: number;
  readonly source: ResolvedNode;
  readonly partitioner: PartitionerKind;
}

export interface ResolvedGraph {
  readonly runtimeMode: "STREAMING" | "BATCH";
  /** Every node after the nodes it reads, otherwise in program order. */
  readonly nodes: readonly ResolvedNode[];
}

/**
 * Decides ids, parallelism, max parallelism, slot sharing groups and partitioners of a whole program, and refuses what cannot run.
 *
 * @throws `GRAPH_EMPTY`, `DUPLICATE_UID`, `PARALLELISM_INVALID`, `UNBOUNDED_IN_BATCH`
 */
export function resolveGraph(graph: StreamGraph, config: Configuration): ResolvedGraph {
  if (graph.nodes.length === 0) {
    throw new MillraceError({
      code: "GRAPH_EMPTY",
      message: "the job has no operators",
      hint: "add a source and a sink before execute(); a second execute() needs operators added after the first one",
    });
  }
  const ordered = inputsFirst(graph.nodes);
  const ids = assignOperatorIds(ordered);
  const resolved = new Map<number, ResolvedNode>();
  for (const node of ordered) resolved.set(node.id, resolveNode(node, ids.get(node.id)!, resolved, config));
  return { runtimeMode: resolveRuntimeMode(graph, config), nodes: [...resolved.values()] };
}

function resolveNode(node: StreamNode, operatorId: string, resolved: ReadonlyMap<number, ResolvedNode>, config: Configuration): ResolvedNode {
  const parallelism = node.parallelism ?? (node.forceNonParallel ? 1 : config.get(PARALLELISM));
  const maxParallelism = node.maxParallelism ?? (config.get(MAX_PARALLELISM) > 0 ? config.get(MAX_PARALLELISM) : defaultMaxParallelism(parallelism));
  checkParallelism(node, parallelism, maxParallelism);
  const inputs = node.inputs.map((edge, index): ResolvedEdge => {
    const source = resolved.get(edge.source.id)!;
    return { edge, index, source, partitioner: resolvePartitioner(node, edge, source.parallelism, parallelism) };
  });
  return {
    node,
    operatorId,
    name: node.spec.type === "source" ? `Source: ${node.name}` : node.spec.type === "sink" ? `Sink: ${node.name}` : node.name,
    parallelism,
    maxParallelism,
    slotSharingGroup: resolveSlotSharingGroup(node, inputs),
    // A window over all records keeps its state under one constant key.
    keyed: node.spec.type === "window" || node.keySelectors.some((selector) => selector !== undefined),
    numberOfInputs: node.spec.type === "custom" ? node.spec.inputs : node.inputs.reduce((most, edge) => Math.max(most, edge.inputIndex + 1), 0),
    inputs,
  };
}

/** An edge the program said nothing about is one to one where it can be, else round robin. */
function resolvePartitioner(node: StreamNode, edge: StreamEdge, sourceParallelism: number, parallelism: number): PartitionerKind {
  const { partitioner } = edge;
  if (partitioner.kind !== "forward" || sourceParallelism === parallelism) return partitioner.kind;
  if (partitioner.implicit === true) return "rebalance";
  throw invalidParallelism(
    node,
    `"${edge.source.name}" with parallelism ${sourceParallelism} cannot forward to "${node.name}" with parallelism ${parallelism}`,
    "use rebalance() or rescale(), or give both the same parallelism",
  );
}

/** The operator's own group, else the one all its inputs share, else "default". */
function resolveSlotSharingGroup(node: StreamNode, inputs: readonly ResolvedEdge[]): string {
  if (node.slotSharingGroup !== undefined) return node.slotSharingGroup;
  const groups = new Set(inputs.map((input) => input.source.slotSharingGroup));
  return groups.size === 1 ? [...groups][0]! : "default";
}

function inputsFirst(nodes: readonly StreamNode[]): StreamNode[] {
  const ordered: StreamNode[] = [];
  const seen = new Set<number>();
  const visit = (start: StreamNode): void => {
    const stack: { readonly node: StreamNode; next: number }[] = [{ node: start, next: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const input = top.node.inputs[top.next++]?.source;
      if (input === undefined) {
        ordered.push(top.node);
        stack.pop();
      } else if (!seen.has(input.id)) {
        seen.add(input.id);
        stack.push({ node: input, next: 0 });
      }
    }
  };
  for (const node of nodes) {
    if (seen.has(node.id)) continue;
    seen.add(node.id);
    visit(node);
  }
  return ordered;
}
