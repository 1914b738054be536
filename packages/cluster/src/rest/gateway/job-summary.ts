import type { JobStatus } from "@millrace/graph";
import type { JobView } from "../../job-master/job-view.js";
import type { JobSummary } from "./rest-gateway.js";

const finalStates: ReadonlySet<string> = new Set(["FINISHED", "CANCELED", "FAILED"]);

/** Whether a job in this state has ended. */
export function isFinal(status: JobStatus): boolean {
  return finalStates.has(status);
}

/** When a job began and ended. */
export function timesOf(view: JobView): { readonly startedMs: number; readonly endedMs: number | undefined } {
  const startedMs = view.statusTimestamps.INITIALIZING ?? view.nowMs;
  return { startedMs, endedMs: isFinal(view.status) ? view.statusTimestamps[view.status] : undefined };
}

/** A job as lists show it. */
export function summaryOf(view: JobView): JobSummary {
  const tasks: Record<string, number> = {};
  let changedMs = Math.max(0, ...Object.values(view.statusTimestamps));
  for (const { subtasks } of view.vertices) {
    for (const { current } of subtasks) {
      tasks[current.state] = (tasks[current.state] ?? 0) + 1;
      changedMs = Math.max(changedMs, ...Object.values(current.timestamps));
    }
  }
  const { jobId, jobName, runtimeMode } = view.jobGraph;
  return { jobId, name: jobName, runtimeMode, status: view.status, ...timesOf(view), changedMs, tasks };
}
