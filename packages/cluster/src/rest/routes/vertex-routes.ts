import type { JobVertex } from "@millrace/graph";
import type { ExecutionView, JobView } from "../../job-master/job-view.js";
import { RestError } from "../http/rest-error.js";
import { route, type RestRequest, type Route } from "../http/route.js";
import {
  attemptAccumulators, backPressure, executionStates, subtaskDetails, subtaskTimes, subtasksAccumulators, vertexAccumulators, vertexDetails, vertexTaskManagers,
  type SubtaskAttempt,
} from "../schema/job-answers.js";
import { metrics } from "../schema/cluster-answers.js";
import type { Infer } from "../schema/schema.js";
import { aggregateState, aggregatedFigures, ioMetrics, stateCounts, statusDurations, timesOfAll, timesOfAttempt, userAccumulators } from "./figures.js";
import { mergeAccumulatorValues, type AccumulatorValue } from "@millrace/core";

const base = "/jobs/:jobid/vertices/:vertexid";

export const vertexRoutes: readonly Route[] = [
  route({
    method: "GET", path: base, summary: "One vertex with the current attempt of each subtask.", role: "viewer", response: vertexDetails,
    handle: async (request) => {
      const { view, vertex, current } = await find(request);
      return {
        id: vertex.id, name: vertex.name, parallelism: vertex.parallelism, maxParallelism: vertex.maxParallelism, now: view.nowMs,
        subtasks: current.map((execution) => attemptAnswer(execution, view.nowMs)), aggregated: aggregatedFigures(current, view.nowMs),
      };
    },
  }),
  route({
    method: "GET", path: `${base}/accumulators`, summary: "Accumulators of a vertex, over its subtasks.", role: "viewer", response: vertexAccumulators,
    handle: async (request) => {
      const { vertex, current } = await find(request);
      const byName = new Map<string, AccumulatorValue[]>();
      for (const { accumulators } of current) for (const [name, value] of Object.entries(accumulators)) byName.set(name, [...(byName.get(name) ?? []), value]);
      const merged = Object.fromEntries([...byName].map(([name, values]) => [name, { kind: values[0]!.kind, value: mergeAccumulatorValues(values) }]));
      return { id: vertex.id, "user-accumulators": userAccumulators(merged) };
    },
  }),
  route({
    method: "GET", path: `${base}/subtasks/accumulators`, summary: "Accumulators of each subtask.", role: "viewer", response: subtasksAccumulators,
    handle: async (request) => {
      const { vertex, current } = await find(request);
      return {
        id: vertex.id, parallelism: vertex.parallelism,
        subtasks: current.map(({ subtaskIndex, attemptNumber, location, accumulators }) => ({
          subtask: subtaskIndex, attempt: attemptNumber, endpoint: location.endpoint, "user-accumulators": userAccumulators(accumulators),
        })),
      };
    },
  }),
  route({
    method: "GET", path: `${base}/subtasktimes`, summary: "When each subtask entered which state.", role: "viewer", response: subtaskTimes,
    handle: async (request) => {
      const { view, vertex, current } = await find(request);
      return {
        id: vertex.id, name: vertex.name, now: view.nowMs,
        subtasks: current.map((execution) => ({
          subtask: execution.subtaskIndex, endpoint: execution.location.endpoint, duration: timesOfAttempt(execution, view.nowMs).duration,
          timestamps: Object.fromEntries(executionStates.map((state) => [state, state === "RECONCILING" ? 0 : (execution.timestamps[state] ?? 0)])),
        })),
      };
    },
  }),
  route({
    method: "GET", path: `${base}/taskmanagers`, summary: "A vertex by TaskManager.", role: "viewer", response: vertexTaskManagers,
    handle: async (request) => {
      const { view, vertex, current } = await find(request);
      const byTaskManager = new Map<string, ExecutionView[]>();
      for (const execution of current) byTaskManager.set(execution.location.taskManagerId, [...(byTaskManager.get(execution.location.taskManagerId) ?? []), execution]);
      return {
        id: vertex.id, name: vertex.name, now: view.nowMs,
        taskmanagers: [...byTaskManager].map(([id, executions]) => {
          const { start, end, duration } = timesOfAll(executions, view.nowMs);
          const states = executions.map(({ state }) => state);
          return {
            endpoint: executions[0]!.location.endpoint, status: aggregateState(states), "start-time": start, "end-time": end, duration, metrics: ioMetrics(executions),
            "status-counts": stateCounts(states), "taskmanager-id": id, aggregated: aggregatedFigures(executions, view.nowMs),
          };
        }),
      };
    },
  }),
  route({
    method: "GET", path: `${base}/subtasks/:subtaskindex`, summary: "The current attempt of a subtask.", role: "viewer", response: subtaskDetails,
    handle: async (request) => {
      const { view, subtask } = await findSubtask(request);
      return attemptAnswer(subtask.current, view.nowMs);
    },
  }),
  route({
    method: "GET", path: `${base}/subtasks/:subtaskindex/attempts/:attempt`, summary: "One attempt of a subtask, earlier ones included.", role: "viewer", response: subtaskDetails,
    handle: async (request) => {
      const { view, attempt } = await findAttempt(request);
      return attemptAnswer(attempt, view.nowMs);
    },
  }),
  route({
    method: "GET", path: `${base}/subtasks/:subtaskindex/attempts/:attempt/accumulators`, summary: "Accumulators of one attempt.", role: "viewer", response: attemptAccumulators,
    handle: async (request) => {
      const { vertex, attempt } = await findAttempt(request);
      return {
        subtask: attempt.subtaskIndex, attempt: attempt.attemptNumber, id: `${vertex.id}_${attempt.subtaskIndex}_${attempt.attemptNumber}`,
        "user-accumulators": userAccumulators(attempt.accumulators),
      };
    },
  }),
  route({
    method: "GET", path: `${base}/backpressure`, summary: "Where the time of each subtask goes.", role: "viewer", response: backPressure,
    handle: async (request) => {
      const { view, current } = await find(request);
      const subtasks = current.map(({ subtaskIndex, metrics: figures }) => {
        const share = (name: string): number => Math.min(1, Math.max(0, (figures[name] ?? 0) / 1000));
        const ratio = share("backPressuredTimeMsPerSecond");
        const level = levelOf(ratio);
        return { subtask: subtaskIndex, backpressureLevel: level, "backpressure-level": level, ratio, idleRatio: share("idleTimeMsPerSecond"), busyRatio: share("busyTimeMsPerSecond") };
      });
      const level = levelOf(Math.max(0, ...subtasks.map(({ ratio }) => ratio)));
      const known = current.some(({ metrics: figures }) => "busyTimeMsPerSecond" in figures);
      return { status: known ? ("ok" as const) : ("deprecated" as const), backpressureLevel: level, "backpressure-level": level, "end-timestamp": view.nowMs, subtasks };
    },
  }),
  route({
    method: "GET", path: `${base}/watermarks`, summary: "The input watermark of each subtask.", role: "viewer", response: metrics,
    handle: async (request) => {
      const { vertex, current, view } = await find(request);
      const isSource = !view.jobGraph.edges.some(({ targetVertexId }) => targetVertexId === vertex.id);
      if (isSource) return [];
      return current.flatMap(({ subtaskIndex, metrics: figures }) => {
        const watermark = figures["currentInputWatermark"];
        return watermark === undefined ? [] : [{ id: `${subtaskIndex}.currentInputWatermark`, value: watermarkText(watermark) }];
      });
    },
  }),
];

/** Flink's bounds: FLIP-165. */
function levelOf(ratio: number): "ok" | "low" | "high" {
  return ratio <= 0.1 ? "ok" : ratio <= 0.5 ? "low" : "high";
}

/** Flink's watermarks are 64-bit: the first and the last have its spelling. */
export function watermarkText(watermarkMs: number): string {
  if (watermarkMs === Number.NEGATIVE_INFINITY || watermarkMs <= Number.MIN_SAFE_INTEGER) return "-9223372036854775808";
  if (watermarkMs === Number.POSITIVE_INFINITY || watermarkMs >= Number.MAX_SAFE_INTEGER) return "9223372036854775807";
  return String(watermarkMs);
}

interface FoundVertex {
  readonly view: JobView;
  readonly vertex: JobVertex;
  readonly subtasks: JobView["vertices"][number]["subtasks"];
  /** The current attempt of each subtask. */
  readonly current: readonly ExecutionView[];
}

/** @throws 404 for a vertex the job does not have */
export async function find({ gateway, params }: RestRequest): Promise<FoundVertex> {
  const view = await gateway.job(params["jobid"]!);
  const index = view.jobGraph.vertices.findIndex(({ id }) => id === params["vertexid"]);
  if (index < 0) throw new RestError(404, `JobVertex ${params["vertexid"]} not found`);
  const { subtasks } = view.vertices[index]!;
  return { view, vertex: view.jobGraph.vertices[index]!, subtasks, current: subtasks.map(({ current }) => current) };
}

async function findSubtask(request: RestRequest): Promise<FoundVertex & { readonly subtask: FoundVertex["subtasks"][number] }> {
  const found = await find(request);
  const subtask = found.subtasks[Number(request.params["subtaskindex"])];
  if (subtask === undefined) throw new RestError(404, `Invalid subtask index for vertex ${found.vertex.id}`);
  return { ...found, subtask };
}

async function findAttempt(request: RestRequest): Promise<FoundVertex & { readonly attempt: ExecutionView }> {
  const found = await findSubtask(request);
  const number = Number(request.params["attempt"]);
  const attempt = [found.subtask.current, ...found.subtask.earlier].find(({ attemptNumber }) => attemptNumber === number);
  if (attempt === undefined) throw new RestError(404, `Could not find execution for subtask ${request.params["subtaskindex"]} and attempt ${number}.`);
  return { ...found, attempt };
}

function attemptAnswer(execution: ExecutionView, nowMs: number): SubtaskAttempt & Infer<typeof subtaskDetails> {
  const { start, end, duration } = timesOfAttempt(execution, nowMs);
  return {
    subtask: execution.subtaskIndex, status: execution.state, attempt: execution.attemptNumber, endpoint: execution.location.endpoint, "start-time": start, "end-time": end,
    duration, metrics: ioMetrics([execution]), "taskmanager-id": execution.location.taskManagerId, "status-duration": statusDurations(execution, nowMs), start_time: start,
  };
}
