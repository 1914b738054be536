import type { JobStatus } from "@millrace/graph";
import { sumOver } from "../checkpoint/checkpoint-statistics.js";
import type { JobView } from "../job-master/job-view.js";

const timed: readonly JobStatus[] = ["INITIALIZING", "CREATED", "RUNNING", "RESTARTING", "CANCELLING", "FAILING"];
const down: ReadonlySet<JobStatus> = new Set(["RESTARTING", "FAILING", "FAILED"]);

/** The JobManager's metrics of one job under Flink's names. Numbers, but for the path of the last checkpoint. */
export function jobMetrics(view: JobView): Record<string, number | string> {
  const { counts, latest } = view.checkpoints;
  const last = latest.completed;
  const bytes = last === undefined ? -1 : sumOver(last.tasks, "stateBytes");
  const values: Record<string, number | string> = {
    uptime: view.status === "RUNNING" ? sinceMs(view, "RUNNING") : -1,
    downtime: down.has(view.status) ? sinceMs(view, view.status) : 0,
    numRestarts: view.restarts,
    fullRestarts: view.restarts,
    numRescales: view.rescales,
    lastRestartDuration: view.lastRestartDurationMs ?? -1,
    lastCheckpointDuration: last?.endedMs === undefined ? -1 : last.endedMs - last.triggeredMs,
    lastCheckpointSize: bytes,
    lastCheckpointFullSize: bytes,
    lastCheckpointPersistedData: last === undefined ? -1 : sumOver(last.tasks, "persistedBytes"),
    lastCheckpointProcessedData: last === undefined ? -1 : sumOver(last.tasks, "processedBytes"),
    lastCompletedCheckpointId: last?.checkpointId ?? -1,
    lastCheckpointCompletedTimestamp: last?.endedMs ?? -1,
    lastCheckpointExternalPath: last?.path ?? "n/a",
    lastCheckpointRestoreTimestamp: latest.restored?.restoredMs ?? -1,
    numberOfInProgressCheckpoints: counts.inProgress,
    numberOfCompletedCheckpoints: counts.completed,
    numberOfFailedCheckpoints: counts.failed,
    totalNumberOfCheckpoints: counts.total,
  };
  for (const status of timed) {
    const name = status.toLowerCase();
    values[`${name}State`] = view.status === status ? 1 : 0;
    values[`${name}Time`] = view.status === status ? sinceMs(view, status) : 0;
    values[`${name}TimeTotal`] = view.statusDurationsMs[status] ?? 0;
  }
  return values;
}

function sinceMs(view: JobView, status: JobStatus): number {
  return Math.max(0, view.nowMs - (view.statusTimestamps[status] ?? view.nowMs));
}
