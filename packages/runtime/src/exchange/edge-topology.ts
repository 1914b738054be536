import type { JobEdge, JobGraph } from "@millrace/graph";

/** Which subtasks of an edge's target one source subtask may send to, ascending. */
export function targetsOf(partitioner: JobEdge["partitioner"], source: number, sourceParallelism: number, targetParallelism: number): number[] {
  if (partitioner === "forward" && sourceParallelism === targetParallelism) return [source];
  if (partitioner !== "rescale" && partitioner !== "forward") return range(0, targetParallelism);
  return range(0, targetParallelism).filter((target) => sourcesOf(partitioner, target, sourceParallelism, targetParallelism).includes(source));
}

/** Which subtasks of an edge's source one target subtask reads, ascending. Pointwise edges spread the larger side evenly, as Flink's do. */
export function sourcesOf(partitioner: JobEdge["partitioner"], target: number, sourceParallelism: number, targetParallelism: number): number[] {
  if (partitioner === "forward" && sourceParallelism === targetParallelism) return [target];
  if (partitioner !== "rescale" && partitioner !== "forward") return range(0, sourceParallelism);
  if (sourceParallelism >= targetParallelism) {
    return range(Math.floor((target * sourceParallelism) / targetParallelism), Math.floor(((target + 1) * sourceParallelism) / targetParallelism));
  }
  return [Math.floor((target * sourceParallelism) / targetParallelism)];
}

/**
 * Whether barriers may overtake the records on the edges into a vertex. Not where one of them ties its targets to few senders, or gives every record to
 * all: records in flight there have no one place at another parallelism. `forced` lets them, and gives up the other parallelism. Flink's rule.
 */
export function mayOvertakeInto(vertexId: string, graph: Pick<JobGraph, "edges">, forced: boolean): boolean {
  const edges = graph.edges.filter((edge) => edge.targetVertexId === vertexId);
  return edges.every((edge) => edge.exchange === "pipelined" && (forced || hasOnePlace(edge.partitioner)));
}

function hasOnePlace(partitioner: JobEdge["partitioner"]): boolean {
  return partitioner !== "forward" && partitioner !== "rescale" && partitioner !== "broadcast";
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Gives every channel of a job one number that both of its ends compute alike. */
export class ChannelIds {
  readonly #base: ReadonlyMap<string, { readonly first: number; readonly targets: number }>;

  constructor(graph: JobGraph) {
    const parallelism = new Map(graph.vertices.map((vertex) => [vertex.id, vertex.parallelism]));
    const base = new Map<string, { first: number; targets: number }>();
    let next = 0;
    for (const edge of graph.edges) {
      const targets = parallelism.get(edge.targetVertexId)!;
      base.set(edge.id, { first: next, targets });
      next += parallelism.get(edge.sourceVertexId)! * targets;
    }
    this.#base = base;
  }

  of(edgeId: string, source: number, target: number): number {
    const { first, targets } = this.#base.get(edgeId)!;
    return first + source * targets + target;
  }
}
