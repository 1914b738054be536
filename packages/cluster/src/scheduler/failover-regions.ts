import type { JobGraph, JobVertex } from "@millrace/graph";

/** Vertices that are deployed, restored and restarted together. */
export interface FailoverRegion {
  readonly index: number;
  /** In the order of the job graph. */
  readonly vertices: readonly JobVertex[];
}

/**
 * Cuts a job into what fails on its own: vertices that exchange records, in whatever way and over whatever way round, are in one region.
 *
 * Flink also cuts between subtasks that exchange nothing. Here all subtasks of a source share an enumerator that is restored with them, so a region holds
 * vertices whole. Flink: PipelinedRegion, RestartPipelinedRegionFailoverStrategy.
 */
export function failoverRegions({ vertices, edges }: JobGraph): readonly FailoverRegion[] {
  const rootOf = new Map(vertices.map(({ id }) => [id, id]));
  const find = (id: string): string => {
    const above = rootOf.get(id)!;
    return above === id ? id : find(above);
  };
  for (const { sourceVertexId, targetVertexId } of edges) rootOf.set(find(targetVertexId), find(sourceVertexId));
  const byRoot = new Map<string, JobVertex[]>();
  for (const vertex of vertices) byRoot.set(find(vertex.id), [...(byRoot.get(find(vertex.id)) ?? []), vertex]);
  return [...byRoot.values()].map((ofRegion, index) => ({ index, vertices: ofRegion }));
}

/** The whole job as one region: whatever fails, everything restarts. */
export function oneRegion({ vertices }: JobGraph): readonly FailoverRegion[] {
  return [{ index: 0, vertices }];
}
