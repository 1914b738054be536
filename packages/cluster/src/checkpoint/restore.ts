import { MillraceError, nearest } from "@millrace/core";
import type { JobGraph, JobVertex } from "@millrace/graph";
import type { AssignedOperatorState, OperatorRestore, TaskRestore } from "@millrace/runtime";
import { assignKeyedState, redistributeOperatorState } from "@millrace/state";
import type { FileRange, KeyedStateHandle, KeyedStatePart, OperatorStateHandle } from "@millrace/state";
import { fromBase64 } from "./base64.js";
import { isSavepoint, type OperatorCheckpoint } from "./checkpoint-metadata.js";
import type { CompletedCheckpoint } from "./completed-checkpoint-store.js";
import { assignInFlight, validateInFlight } from "./restore-in-flight.js";
import { resolveFile } from "./shared-files.js";

/**
 * Checks that a checkpoint fits a job, before anything is started.
 * @throws `CHECKPOINT_STATE_UNMATCHED` when it holds state of operators the job does not have (unless `allowUnmatched`),
 * `CHECKPOINT_MAX_PARALLELISM` when an operator's key groups differ, `CHECKPOINT_IN_FLIGHT_UNMATCHED` when records in flight have nowhere to go.
 */
export function validateRestore(checkpoint: CompletedCheckpoint, jobGraph: JobGraph, allowUnmatched: boolean): void {
  const vertexOf = new Map(jobGraph.vertices.flatMap((vertex) => vertex.operators.map((operator) => [operator.id, vertex] as const)));
  const unmatched: string[] = [];
  for (const operator of checkpoint.metadata.operators) {
    if (!hasState(operator)) continue;
    const vertex = vertexOf.get(operator.operatorId);
    if (vertex === undefined) unmatched.push(`${describe(operator)}${nearestOf(operator, checkpoint, jobGraph)}`);
    else if (vertex.maxParallelism !== operator.maxParallelism) throw maxParallelismDiffers(checkpoint, operator, vertex);
  }
  if (unmatched.length === 0 || allowUnmatched) return validateInFlight(checkpoint, jobGraph, allowUnmatched);
  const { jobName } = checkpoint.metadata;
  const otherJob = jobName === jobGraph.jobName ? "" : ` of the job "${jobName}"`;
  throw new MillraceError({
    code: "CHECKPOINT_STATE_UNMATCHED",
    message: `the ${isSavepoint(checkpoint.metadata) ? "savepoint" : "checkpoint"} ${checkpoint.path}${otherJob} holds state of operators that the job "${jobGraph.jobName}" does not have: ${unmatched.join(", ")}`,
    hint: "set a uid on every operator with state and keep it (setUidHash takes over the state of an operator that had none), or drop that state with execution.state-recovery.ignore-unclaimed-state (-n)",
    location: { file: checkpoint.path, option: "execution.state-recovery.path" },
  });
}

function hasState(operator: OperatorCheckpoint): boolean {
  return operator.coordinator !== undefined || operator.subtasks.some(({ keyed, operator: own }) => keyed.length > 0 || own.length > 0);
}

function describe(operator: Pick<OperatorCheckpoint, "uid" | "name" | "operatorId">): string {
  return operator.uid === undefined ? `"${operator.name}" (${operator.operatorId})` : `"${operator.name}" (uid "${operator.uid}")`;
}

/** The operator of the job that this one most likely was, among those the checkpoint knows nothing of: by the uid, else by the name. */
function nearestOf({ uid, name }: OperatorCheckpoint, { metadata }: CompletedCheckpoint, jobGraph: JobGraph): string {
  const known = new Set(metadata.operators.map(({ operatorId }) => operatorId));
  const free = jobGraph.vertices.flatMap(({ operators }) => operators).filter(({ id }) => !known.has(id));
  const uids = free.flatMap((operator) => (operator.uid === undefined ? [] : [operator.uid]));
  const byUid = uid === undefined ? undefined : nearest(uid, uids);
  const byName = nearest(name, free.map((operator) => operator.name));
  const found = free.find((operator) => (byUid === undefined ? operator.name === byName : operator.uid === byUid));
  return found === undefined ? "" : `, nearest to ${describe({ uid: found.uid, name: found.name, operatorId: found.id })} of the job`;
}

function maxParallelismDiffers(checkpoint: CompletedCheckpoint, operator: OperatorCheckpoint, vertex: JobVertex): MillraceError {
  return new MillraceError({
    code: "CHECKPOINT_MAX_PARALLELISM",
    message: `operator ${describe(operator)} was checkpointed with max parallelism ${operator.maxParallelism} but now has ${vertex.maxParallelism}`,
    hint: `the number of key groups cannot change: set its max parallelism to ${operator.maxParallelism}`,
    location: { operator: operator.name, operatorId: operator.operatorId, file: checkpoint.path },
  });
}

/** What subtask `subtaskIndex` of a vertex starts from, at whatever parallelism the checkpoint was taken. */
export function restoreTask(checkpoint: CompletedCheckpoint, jobGraph: JobGraph, vertex: JobVertex, subtaskIndex: number): TaskRestore {
  const byOperator = new Map(checkpoint.metadata.operators.map((operator) => [operator.operatorId, operator]));
  const operators: Record<string, OperatorRestore> = {};
  for (const { id } of vertex.operators) {
    const operator = byOperator.get(id);
    if (operator === undefined || operator.subtasks.length === 0) continue;
    const keyed = operator.subtasks.flatMap((subtask) => subtask.keyed) as KeyedStateHandle[];
    operators[id] = {
      keyed: assignKeyedState(keyed.map((handle) => absolute(handle, checkpoint.path)), vertex.maxParallelism, vertex.parallelism)[subtaskIndex]!,
      operator: assignOperatorState(checkpoint, operator, vertex.parallelism, subtaskIndex),
    };
  }
  const finished = vertex.operators.every(({ id }) => byOperator.get(id)?.finished === true);
  const inFlight = assignInFlight(checkpoint, jobGraph, vertex.id, subtaskIndex);
  return { checkpointId: checkpoint.metadata.checkpointId, operators, ...(finished ? { finished: true } : {}), ...(inFlight.length === 0 ? {} : { inFlight }) };
}

function assignOperatorState(checkpoint: CompletedCheckpoint, operator: OperatorCheckpoint, parallelism: number, subtaskIndex: number): AssignedOperatorState[] {
  // Indexed by old subtask, since with an unchanged parallelism every subtask gets its own state back.
  const handles = Array.from({ length: operator.parallelism }, (_, old) => {
    const handle = operator.subtasks.find((subtask) => subtask.subtaskIndex === old)?.operator[0] as OperatorStateHandle | undefined;
    return handle === undefined ? undefined : absolute(handle, checkpoint.path);
  });
  const mine = redistributeOperatorState(handles, parallelism)[subtaskIndex]!;
  return [...new Set(mine.map((assignment) => assignment.handle))].map((index) => ({
    handle: handles[index]!,
    assignments: mine.filter((assignment) => assignment.handle === index).map(({ name, mode, from, to }) => ({ name, mode, from, to })),
  }));
}

/** State of a source's coordinator, or `undefined` when the checkpoint has none. */
export function restoreCoordinator(checkpoint: CompletedCheckpoint, operatorId: string): Uint8Array | undefined {
  const state = checkpoint.metadata.operators.find((operator) => operator.operatorId === operatorId)?.coordinator;
  return state === undefined ? undefined : fromBase64(state);
}

/** Handles name their files relative to the checkpoint, so that a checkpoint can be moved. */
function absolute<H extends { readonly file: FileRange; readonly earlier?: readonly KeyedStatePart[] }>(handle: H, checkpointPath: string): H {
  const resolved = <P extends { readonly file: FileRange }>(part: P): P => ({ ...part, file: { ...part.file, path: resolveFile(checkpointPath, part.file.path) } });
  return handle.earlier === undefined ? resolved(handle) : { ...resolved(handle), earlier: handle.earlier.map(resolved) };
}
