import type { Execution, ExecutionGraph } from "../job-master/execution-graph.js";

/** Which tasks take part in a checkpoint. */
export interface CheckpointPlan {
  /** Tasks that are told to start: running, with no running task before them. */
  readonly toTrigger: readonly Execution[];
  /** Tasks that must acknowledge: all that have not finished. */
  readonly toAcknowledge: readonly Execution[];
}

/**
 * Plans a checkpoint of a job in which some tasks may have finished (FLIP-147): the barriers start at the running tasks whose
 * upstream tasks have all finished, which without finished tasks are the sources.
 *
 * `undefined` when no checkpoint can be taken now: a task is not running yet, is on its way out, or none is left.
 */
export function planCheckpoint(graph: ExecutionGraph): CheckpointPlan | undefined {
  const toTrigger: Execution[] = [];
  const toAcknowledge: Execution[] = [];
  for (const execution of graph.all()) {
    if (execution.state === "FINISHED") continue;
    if (execution.state !== "RUNNING") return undefined;
    toAcknowledge.push(execution);
    if (hasNoRunningUpstream(graph, execution)) toTrigger.push(execution);
  }
  return toAcknowledge.length === 0 ? undefined : { toTrigger, toAcknowledge };
}

function hasNoRunningUpstream(graph: ExecutionGraph, execution: Execution): boolean {
  for (const upstream of graph.upstream(execution)) if (upstream.state !== "FINISHED") return false;
  return true;
}
