import type { JobGraph, JobVertex } from "@millrace/graph";
import type { ParallelismBounds, ResourceRequirements } from "./resource-requirements.js";

/** Vertices of one slot sharing group that must be equally wide, since each subtask of one reads that subtask of the other. */
interface ForwardGroup {
  readonly vertices: readonly JobVertex[];
  readonly bounds: ParallelismBounds;
}

/**
 * How wide a job runs with so many slots: every slot sharing group gets its least, then one slot more in turn while any can use one.
 *
 * @param slots may be infinite
 * @returns parallelism by vertex id; `undefined` when there are too few slots for the lower bounds. Flink: SlotSharingSlotAllocator.
 */
export function slotParallelism(jobGraph: JobGraph, requirements: ResourceRequirements, slots: number): ReadonlyMap<string, number> | undefined {
  const bySharing = new Map<string, { readonly members: ForwardGroup[]; least: number; most: number; width: number }>();
  for (const member of forwardGroups(jobGraph, requirements)) {
    // Forward edges that leave a sharing group count for the group of their first vertex: all of them are equally wide.
    for (const name of new Set(member.vertices.map((vertex) => vertex.slotSharingGroup))) {
      const group = bySharing.get(name) ?? { members: [], least: 0, most: 0, width: 0 };
      bySharing.set(name, group);
      group.members.push(member);
      group.least = Math.max(group.least, member.bounds.lowerBound);
      group.most = Math.max(group.most, member.bounds.upperBound);
    }
  }
  const groups = [...bySharing.values()];
  let left = slots;
  for (const group of groups) left -= group.width = group.least;
  if (left < 0) return undefined;
  for (let grown = true; grown && left > 0;) {
    grown = false;
    for (const group of groups) {
      if (left === 0 || group.width === group.most) continue;
      group.width++;
      left--;
      grown = true;
    }
  }
  const parallelism = new Map<string, number>();
  for (const { members, width } of groups) {
    for (const { vertices, bounds } of members) {
      for (const { id } of vertices) parallelism.set(id, Math.min(bounds.upperBound, width, parallelism.get(id) ?? width));
    }
  }
  return parallelism;
}

/** The least slots that a job can run with, or the most that it can use. */
export function slotsFor(jobGraph: JobGraph, requirements: ResourceRequirements, bound: keyof ParallelismBounds): number {
  const width = new Map<string, number>();
  for (const { vertices, bounds } of forwardGroups(jobGraph, requirements)) {
    for (const { slotSharingGroup } of vertices) width.set(slotSharingGroup, Math.max(width.get(slotSharingGroup) ?? 0, bounds[bound]));
  }
  return [...width.values()].reduce((sum, slots) => sum + slots, 0);
}

/** The plan at another parallelism. */
export function withParallelism(jobGraph: JobGraph, parallelism: ReadonlyMap<string, number>): JobGraph {
  return { ...jobGraph, vertices: jobGraph.vertices.map((vertex) => ({ ...vertex, parallelism: parallelism.get(vertex.id)! })) };
}

/** Bounds of vertices that forward edges tie together: what suits all of them, as far as there is such a thing. */
function forwardGroups({ vertices, edges }: JobGraph, requirements: ResourceRequirements): readonly ForwardGroup[] {
  const groupOf = new Map(vertices.map((vertex) => [vertex.id, new Set([vertex])]));
  for (const edge of edges) {
    const [from, to] = [groupOf.get(edge.sourceVertexId)!, groupOf.get(edge.targetVertexId)!];
    if (edge.partitioner !== "forward" || from === to) continue;
    for (const vertex of to) groupOf.set(vertex.id, from.add(vertex));
  }
  return [...new Set(groupOf.values())].map((group) => {
    const bounds = [...group].map(({ id }) => requirements[id]!);
    const upperBound = Math.min(...bounds.map((bound) => bound.upperBound));
    return { vertices: [...group], bounds: { lowerBound: Math.min(upperBound, Math.max(...bounds.map((bound) => bound.lowerBound))), upperBound } };
  });
}
