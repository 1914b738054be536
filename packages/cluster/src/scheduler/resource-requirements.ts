import { MillraceError, SCHEDULER } from "@millrace/core";
import type { JobGraph, JobVertex } from "@millrace/graph";

/** The least and the most parallelism of a vertex. Flink: JobVertexResourceRequirements.Parallelism. */
export interface ParallelismBounds {
  readonly lowerBound: number;
  readonly upperBound: number;
}

/** By vertex id. Flink: JobResourceRequirements. */
export type ResourceRequirements = Readonly<Record<string, ParallelismBounds>>;

/** What a job asks for unless told otherwise: from 1 to its parallelism; in reactive mode to the number of its key groups. */
export function initialRequirements({ vertices }: JobGraph, reactive: boolean): ResourceRequirements {
  return Object.fromEntries(vertices.map((vertex) => [vertex.id, { lowerBound: 1, upperBound: reactive ? widest(vertex) : vertex.parallelism }]));
}

/** @throws `RESOURCE_REQUIREMENTS_INVALID` unless every vertex has bounds, and no other, with 1 ≤ lower ≤ upper ≤ max parallelism */
export function checkRequirements(requirements: ResourceRequirements, { vertices }: JobGraph): void {
  const unknown = Object.keys(requirements).filter((id) => !vertices.some((vertex) => vertex.id === id));
  if (unknown.length > 0) throw invalid(`the job has no vertex ${unknown.map((id) => id.slice(0, 40)).join(", ")}`, `its vertices are ${vertices.map(({ id, name }) => `${id} ("${name}")`).join(", ")}`);
  for (const vertex of vertices) {
    const bounds = requirements[vertex.id];
    if (bounds === undefined) throw invalid(`vertex ${vertex.id} ("${vertex.name}") has no bounds`, "name every vertex of the job; GET resource-requirements shows them all");
    const { lowerBound, upperBound } = bounds;
    const isPossible = Number.isSafeInteger(lowerBound) && Number.isSafeInteger(upperBound) && lowerBound >= 1 && lowerBound <= upperBound;
    if (!isPossible) throw invalid(`the bounds ${lowerBound} to ${upperBound} of vertex ${vertex.id} ("${vertex.name}") are not possible`, "1 ≤ lowerBound ≤ upperBound");
    if (upperBound > widest(vertex)) {
      throw invalid(
        `the upper bound ${upperBound} of vertex ${vertex.id} ("${vertex.name}") is above its max parallelism ${widest(vertex)}`,
        vertex.nonParallel === true ? "it sees all records and cannot run in parallel" : "the number of key groups bounds the parallelism: set a higher max parallelism when the job is first started");
    }
  }
}

/**
 * Requirements with other upper bounds: one for every vertex, but for those that cannot run in parallel, or some by the vertex's id or name.
 * @throws `RESOURCE_REQUIREMENTS_INVALID` for a vertex that is not there
 */
export function rescaled(
  requirements: ResourceRequirements, { vertices }: JobGraph, parallelism: number | undefined, byVertex: Readonly<Record<string, number>>,
): ResourceRequirements {
  for (const name of Object.keys(byVertex)) {
    const found = vertices.filter((vertex) => vertex.id === name || vertex.name === name).length;
    if (found !== 1) throw invalid(`${found === 0 ? "no" : found} vertices have the id or name "${name.slice(0, 80)}"`, `the vertices are ${vertices.map((vertex) => `${vertex.id} ("${vertex.name}")`).join(", ")}`);
  }
  return Object.fromEntries(vertices.map(({ id, name, nonParallel }) => {
    const before = requirements[id]!;
    const upperBound = byVertex[id] ?? byVertex[name] ?? (nonParallel === true ? 1 : (parallelism ?? before.upperBound));
    return [id, { lowerBound: Math.min(before.lowerBound, upperBound), upperBound }];
  }));
}

function widest({ nonParallel, maxParallelism }: JobVertex): number {
  return nonParallel === true ? 1 : maxParallelism;
}

function invalid(message: string, hint: string): MillraceError {
  return new MillraceError({ code: "RESOURCE_REQUIREMENTS_INVALID", message, hint });
}

/** What who rescales a job is told when its scheduler does not. */
export function rescalingUnavailable({ jobName, runtimeMode }: JobGraph): MillraceError {
  return new MillraceError({
    code: "RESCALING_UNAVAILABLE", message: `the parallelism of the job "${jobName}" is fixed`, location: { option: SCHEDULER.key },
    hint: runtimeMode === "BATCH" ? "a batch job cannot be rescaled while it runs" : `start it with -D ${SCHEDULER.key}=adaptive`,
  });
}
