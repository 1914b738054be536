import { MillraceError } from "@millrace/core";
import type { JobEdge, JobGraph } from "@millrace/graph";
import type { InFlightHandle, InFlightRestore } from "@millrace/runtime";
import type { CheckpointMetadata } from "./checkpoint-metadata.js";
import type { CompletedCheckpoint } from "./completed-checkpoint-store.js";
import { resolveFile } from "./shared-files.js";

/** Exchanges whose records cannot be given to other subtasks. */
const tied: ReadonlySet<JobEdge["partitioner"]> = new Set(["forward", "rescale", "broadcast"]);

/**
 * Checks that every record that was in flight when an unaligned checkpoint was taken has somewhere to go.
 * @throws `CHECKPOINT_IN_FLIGHT_UNMATCHED` for an exchange that the job does not have (unless `allowUnmatched`), and for one whose records cannot be
 * given to other subtasks than those they were on their way to
 */
export function validateInFlight(checkpoint: CompletedCheckpoint, jobGraph: JobGraph, allowUnmatched: boolean): void {
  for (const [edgeId] of handlesByEdge(checkpoint.metadata)) {
    const edge = jobGraph.edges.find(({ id }) => id === edgeId);
    if (edge === undefined) {
      if (!allowUnmatched) throw noSuchExchange(checkpoint, edgeId);
    } else if (tied.has(edge.partitioner) && isRescaled(checkpoint.metadata, jobGraph, edge)) {
      throw notRescalable(checkpoint, jobGraph, edge);
    }
  }
}

/** What one subtask of a vertex replays. */
export function assignInFlight(checkpoint: CompletedCheckpoint, jobGraph: JobGraph, vertexId: string, subtaskIndex: number): InFlightRestore[] {
  const { metadata, path } = checkpoint;
  const byEdge = handlesByEdge(metadata);
  return jobGraph.edges.flatMap((edge): InFlightRestore[] => {
    const all = edge.targetVertexId === vertexId ? byEdge.get(edge.id) : undefined;
    if (all === undefined) return [];
    const rescaled = isRescaled(metadata, jobGraph, edge);
    const { parallelism } = jobGraph.vertices.find(({ id }) => id === vertexId)!;
    const handles = all.filter(({ to }) => goesTo(edge, to, rescaled, parallelism, subtaskIndex)).map((handle) => ({ ...handle, file: { ...handle.file, path: resolveFile(path, handle.file.path) } }));
    return handles.length === 0 ? [] : [{ edgeId: edge.id, handles, rescaled, keepsWatermarks: sameParallelism(metadata, jobGraph) }];
  });
}

/** Whether a new subtask reads what was on its way to the old one `to`. Flink: SubtaskStateMapper. */
function goesTo({ partitioner }: JobEdge, to: number, rescaled: boolean, parallelism: number, subtaskIndex: number): boolean {
  if (!rescaled) return to === subtaskIndex;
  // They read everything and take what is theirs.
  if (partitioner === "hash" || partitioner === "custom") return true;
  return (partitioner === "global" ? 0 : to % parallelism) === subtaskIndex;
}

/** In one channel, what waited in the input is older than what waited in the output. */
function handlesByEdge({ operators }: CheckpointMetadata): Map<string, InFlightHandle[]> {
  const byEdge = new Map<string, InFlightHandle[]>();
  for (const side of ["input", "output"]) {
    for (const handle of operators.flatMap(({ subtasks }) => subtasks.flatMap(({ inFlight }) => (inFlight ?? []) as readonly InFlightHandle[]))) {
      if (handle.side !== side) continue;
      const handles = byEdge.get(handle.edgeId);
      if (handles === undefined) byEdge.set(handle.edgeId, [handle]);
      else handles.push(handle);
    }
  }
  return byEdge;
}

function isRescaled({ operators }: CheckpointMetadata, jobGraph: JobGraph, edge: JobEdge): boolean {
  const before = (operatorId: string): number | undefined => operators.find((operator) => operator.operatorId === operatorId)?.parallelism;
  const now = (vertexId: string): number => jobGraph.vertices.find(({ id }) => id === vertexId)!.parallelism;
  return before(edge.sourceOperatorId) !== now(edge.sourceVertexId) || before(edge.targetVertexId) !== now(edge.targetVertexId);
}

function sameParallelism({ operators }: CheckpointMetadata, { vertices }: JobGraph): boolean {
  const before = new Map(operators.map(({ operatorId, parallelism }) => [operatorId, parallelism]));
  return vertices.every((vertex) => vertex.operators.every(({ id }) => before.get(id) === vertex.parallelism));
}

function noSuchExchange({ path, metadata }: CompletedCheckpoint, edgeId: string): MillraceError {
  const named = metadata.operators.filter(({ operatorId }) => edgeId.includes(operatorId)).map(({ name }) => `"${name}"`).join(" to ");
  return new MillraceError({
    code: "CHECKPOINT_IN_FLIGHT_UNMATCHED",
    message: `the unaligned checkpoint ${path} holds records that were on their way from ${named}, and the job has no such exchange`,
    hint: "restore with the graph and parallelism of the checkpoint, or change them over a savepoint, which holds no records in flight; -n drops them",
    location: { file: path, option: "execution.state-recovery.path" },
  });
}

function notRescalable({ path }: CompletedCheckpoint, jobGraph: JobGraph, edge: JobEdge): MillraceError {
  const name = (vertexId: string): string => `"${jobGraph.vertices.find(({ id }) => id === vertexId)!.name}"`;
  return new MillraceError({
    code: "CHECKPOINT_IN_FLIGHT_UNMATCHED",
    message: `the checkpoint ${path} holds records of the ${edge.partitioner} exchange from ${name(edge.sourceVertexId)} to ${name(edge.targetVertexId)}, which has another parallelism now`,
    hint: "restore at the parallelism it had; without execution.checkpointing.unaligned.forced such records are not part of a checkpoint",
    location: { file: path, option: "execution.checkpointing.unaligned.forced" },
  });
}
