import { PARALLELISM, RESTART_STRATEGY, mergeAccumulatorValues, type AccumulatorValue } from "@millrace/core";
import { jobPlan, type JobGraph, type JobStatus } from "@millrace/graph";
import type { FailureOfTask } from "../../job-master/exception-history.js";
import type { JobView } from "../../job-master/job-view.js";
import type { JobSummary } from "../gateway/rest-gateway.js";
import { timesOf } from "../gateway/job-summary.js";
import { rootName, stackTrace } from "../gateway/stack-trace.js";
import { RestError } from "../http/rest-error.js";
import { route, type RestRequest, type Route } from "../http/route.js";
import {
  executionResult, jobAccumulators, jobConfig, jobDetails, jobExceptions, jobIds, jobPlanAnswer, jobOverview, jobStatusAnswer, jobsOverview, plan,
} from "../schema/job-answers.js";
import { nothing, type Infer } from "../schema/schema.js";
import { aggregateState, ioMetrics, printed, stateCounts, timesOfAll, userAccumulators } from "./figures.js";
import { masked } from "./masked-config.js";

const allStatuses: readonly (JobStatus | "RECONCILING")[] = [
  "INITIALIZING", "CREATED", "RUNNING", "FAILING", "FAILED", "CANCELLING", "CANCELED", "FINISHED", "RESTARTING", "SUSPENDED", "RECONCILING",
];
const DEFAULT_MAX_EXCEPTIONS = 20;

export const jobRoutes: readonly Route[] = [
  route({
    method: "GET", path: "/jobs", summary: "All jobs and their states.", role: "viewer", response: jobIds,
    handle: async ({ gateway }) => ({ jobs: (await gateway.listJobs()).map(({ jobId, status }) => ({ id: jobId, status })) }),
  }),
  route({
    method: "GET", path: "/jobs/overview", summary: "All jobs with their tasks counted by state.", role: "viewer", response: jobsOverview,
    handle: async ({ gateway }) => ({ jobs: (await gateway.listJobs()).map(overviewOf) }),
  }),
  route({ method: "GET", path: "/jobs/:jobid", summary: "One job: its vertices with their states and figures, and its plan.", role: "viewer", response: jobDetails, handle: async ({ gateway, params }) => details(await gateway.job(params["jobid"]!)) }),
  route({
    method: "PATCH", path: "/jobs/:jobid", summary: "Cancels a job.", role: "operator", status: 202, query: { mode: "\"cancel\", the only one there is" }, response: nothing,
    handle: cancel,
  }),
  route({ method: "GET", path: "/jobs/:jobid/yarn-cancel", summary: "Cancels a job: what Flink's dashboard calls.", role: "operator", status: 202, response: nothing, handle: cancel }),
  route({ method: "GET", path: "/jobs/:jobid/status", summary: "A job's state.", role: "viewer", response: jobStatusAnswer, handle: async ({ gateway, params }) => ({ status: (await gateway.job(params["jobid"]!)).status }) }),
  route({ method: "GET", path: "/jobs/:jobid/plan", summary: "A job's plan: vertices and edges.", role: "viewer", response: jobPlanAnswer, handle: async ({ gateway, params }) => ({ plan: planOf((await gateway.job(params["jobid"]!)).jobGraph) }) }),
  route({
    method: "GET", path: "/jobs/:jobid/config", summary: "How a job is configured.", role: "viewer", response: jobConfig,
    handle: async ({ gateway, params }) => {
      const { jobGraph: { jobId, jobName, config, parameters } } = await gateway.job(params["jobid"]!);
      return {
        jid: jobId, name: jobName,
        "execution-config": {
          "restart-strategy": String(config[RESTART_STRATEGY.key] ?? RESTART_STRATEGY.defaultValue), "job-parallelism": Number(config[PARALLELISM.key] ?? PARALLELISM.defaultValue),
          "object-reuse-mode": true, "user-config": masked(parameters),
        },
      };
    },
  }),
  route({
    method: "GET", path: "/jobs/:jobid/accumulators", summary: "Accumulators of all tasks together.", role: "viewer", response: jobAccumulators,
    query: { includeSerializedValue: "accepted and without effect: values are text here" },
    handle: async ({ gateway, params }) => ({
      "job-accumulators": [], "user-task-accumulators": mergedAccumulators(await gateway.job(params["jobid"]!)), "serialized-user-task-accumulators": {},
    }),
  }),
  route({
    method: "GET", path: "/jobs/:jobid/exceptions", summary: "The last failures, newest first, each with those that came with it.", role: "viewer", response: jobExceptions,
    query: { maxExceptions: "how many, default 20", failureLabelFilter: "accepted: failures have no labels here, so any filter leaves none" },
    handle: async ({ gateway, params, query }) => {
      const most = positiveInteger(query.get("maxExceptions"), "maxExceptions", DEFAULT_MAX_EXCEPTIONS);
      const { exceptions } = await gateway.job(params["jobid"]!);
      const chosen = (query.get("failureLabelFilter") ?? "") === "" ? [...exceptions].reverse() : [];
      return {
        exceptionHistory: {
          entries: chosen.slice(0, most).map((entry) => ({ ...exceptionInfo(entry), concurrentExceptions: entry.concurrent.map(exceptionInfo) })),
          truncated: chosen.length > most,
        },
      };
    },
  }),
  route({
    method: "GET", path: "/jobs/:jobid/execution-result", summary: "How a job ended.", role: "viewer", response: executionResult,
    handle: async ({ gateway, params }) => {
      const jobId = params["jobid"]!;
      const [view, outcome] = await Promise.all([gateway.job(jobId), gateway.jobOutcome(jobId)]);
      if (outcome === undefined) return { status: { id: "IN_PROGRESS" as const } };
      const { startedMs, endedMs = view.nowMs } = timesOf(view);
      const { failure } = outcome;
      return {
        status: { id: "COMPLETED" as const },
        "job-execution-result": {
          id: jobId, name: view.jobGraph.jobName, "application-status": outcome.status === "FINISHED" ? ("SUCCEEDED" as const) : outcome.status,
          "accumulator-results": Object.fromEntries(Object.entries(outcome.accumulators).map(([name, value]) => [name, printed(value)])), "net-runtime": endedMs - startedMs,
          "application-id": jobId, "start-time": startedMs, "end-time": endedMs,
          ...(failure === undefined ? {} : { "failure-cause": { class: failure.name, "stack-trace": failure.stack, "serialized-throwable": "" } }),
        },
      };
    },
  }),
];

export function overviewOf(job: JobSummary): Infer<typeof jobOverview> {
  const of = (state: string): number => job.tasks[state] ?? 0;
  return {
    jid: job.jobId, name: job.name, jobType: job.runtimeMode, schedulerType: "Default", "start-time": job.startedMs, "end-time": job.endedMs ?? -1,
    duration: (job.endedMs ?? Date.now()) - job.startedMs, state: job.status, "last-modification": job.changedMs, "pending-operators": 0,
    tasks: {
      total: Object.values(job.tasks).reduce((sum, count) => sum + count, 0), created: of("CREATED"), scheduled: of("SCHEDULED"), deploying: of("DEPLOYING"),
      running: of("RUNNING"), finished: of("FINISHED"), canceling: of("CANCELING"), canceled: of("CANCELED"), failed: of("FAILED"), reconciling: 0,
      initializing: of("INITIALIZING"),
    },
  };
}

/** @throws 403 where cancelling is switched off, 409 for a job that has ended by itself */
export async function cancel({ gateway, params, query, settings }: RestRequest<unknown>): Promise<Readonly<Record<string, never>>> {
  if (!settings.cancelEnabled) throw new RestError(403, "Cancelling through REST is switched off (web.cancel.enable).");
  const mode = query.get("mode") ?? "cancel";
  if (mode === "stop") {
    throw new RestError(308, "The termination mode \"stop\" has been removed. For an ungraceful shutdown, please use \"cancel\" instead. For a graceful shutdown, please use \"jobs/:jobId/stop\" instead.");
  }
  if (mode !== "cancel") throw new RestError(400, `Cannot resolve query parameter (mode) from value "${mode}": it is "cancel".`);
  const { status, jobGraph } = await gateway.job(params["jobid"]!);
  if (status === "FINISHED" || status === "FAILED") throw new RestError(409, `Job ${jobGraph.jobId} could not be cancelled: it is ${status}.`);
  await gateway.cancelJob(params["jobid"]!);
  return {};
}

/** @throws 400 for what is not a whole number from 1 */
export function positiveInteger(raw: string | null, name: string, otherwise: number): number {
  if (raw === null) return otherwise;
  const value = Number(raw);
  if (!Number.isSafeInteger(value) || value < 1) throw new RestError(400, `Cannot resolve query parameter (${name}) from value "${raw}".`);
  return value;
}

export function planOf(jobGraph: JobGraph): Infer<typeof plan> {
  return jobPlan(jobGraph);
}

function details(view: JobView): Infer<typeof jobDetails> {
  const { jobGraph, nowMs } = view;
  const { startedMs, endedMs } = timesOf(view);
  const vertices = jobGraph.vertices.map((vertex, index) => {
    const executions = view.vertices[index]!.subtasks.map(({ current }) => current);
    const { start, end, duration } = timesOfAll(executions, nowMs);
    return {
      id: vertex.id, slotSharingGroupId: vertex.slotSharingGroup, name: vertex.name, maxParallelism: vertex.maxParallelism, parallelism: vertex.parallelism,
      status: aggregateState(executions.map(({ state }) => state)), "start-time": start, "end-time": end, duration, tasks: stateCounts(executions.map(({ state }) => state)),
      metrics: ioMetrics(executions),
    };
  });
  return {
    jid: jobGraph.jobId, "application-id": jobGraph.jobId, name: jobGraph.jobName, isStoppable: false, state: view.status, "job-type": jobGraph.runtimeMode, schedulerType: "Default",
    "start-time": startedMs, "end-time": endedMs ?? -1, duration: (endedMs ?? nowMs) - startedMs, maxParallelism: -1, now: nowMs,
    timestamps: Object.fromEntries(allStatuses.map((status) => [status, (view.statusTimestamps as Readonly<Record<string, number>>)[status] ?? 0])),
    vertices, "status-counts": stateCounts(vertices.map(({ status }) => status)), plan: planOf(jobGraph), "pending-operators": 0,
  };
}

function mergedAccumulators(view: JobView): ReturnType<typeof userAccumulators> {
  const byName = new Map<string, AccumulatorValue[]>();
  for (const { subtasks } of view.vertices) {
    for (const { current } of subtasks) for (const [name, value] of Object.entries(current.accumulators)) byName.set(name, [...(byName.get(name) ?? []), value]);
  }
  return userAccumulators(Object.fromEntries([...byName].map(([name, values]) => [name, { kind: values[0]!.kind, value: mergeAccumulatorValues(values) }])));
}

function exceptionInfo(failure: FailureOfTask): Omit<Infer<typeof jobExceptions>["exceptionHistory"]["entries"][number], "concurrentExceptions"> {
  const { error } = failure;
  return {
    exceptionName: rootName(error), stacktrace: stackTrace(error), timestamp: failure.timestampMs, failureLabels: {},
    taskName: failure.taskName === undefined ? null : failure.attemptNumber === undefined ? failure.taskName : `${failure.taskName} - execution #${failure.attemptNumber}`,
    endpoint: failure.location?.endpoint ?? null, taskManagerId: failure.location?.taskManagerId ?? null,
  };
}
