import type { JobVertex } from "@millrace/graph";
import type { ExecutionView } from "../../job-master/job-view.js";
import { jobMetrics } from "../../metrics/job-metrics.js";
import { queryName, taskMetricName } from "../../metrics/metric-names.js";
import { RestError } from "../http/rest-error.js";
import { route, type Route } from "../http/route.js";
import { aggregatedMetrics, metrics } from "../schema/cluster-answers.js";
import type { Infer } from "../schema/schema.js";
import { find, watermarkText } from "./vertex-routes.js";

type Values = Readonly<Record<string, number | string>>;

const get = { get: "names, separated by commas; without it the names there are" };
const aggregate = { ...get, agg: "min, max, avg, sum, skew, separated by commas; default all" };

export const metricRoutes: readonly Route[] = [
  route({
    method: "GET", path: "/jobmanager/metrics", summary: "Metrics of the JobManager.", role: "viewer", query: get, response: metrics,
    handle: async ({ gateway, query }) => select((await gateway.jobManager()).metrics, query),
  }),
  route({
    method: "GET", path: "/taskmanagers/metrics", summary: "Metrics over TaskManagers.", role: "viewer", query: { ...aggregate, taskmanagers: "ids; default all" }, response: aggregatedMetrics,
    handle: async ({ gateway, query }) => {
      const chosen = list(query, "taskmanagers");
      const all = await gateway.taskManagers();
      return aggregated(all.filter(({ id }) => chosen.length === 0 || chosen.includes(id)).map((each) => each.metrics), query);
    },
  }),
  route({
    method: "GET", path: "/taskmanagers/:taskmanagerid/metrics", summary: "Metrics of a TaskManager.", role: "viewer", query: get, response: metrics,
    handle: async ({ gateway, params, query }) => select((await gateway.taskManager(params["taskmanagerid"]!)).metrics, query),
  }),
  route({
    method: "GET", path: "/jobs/metrics", summary: "Metrics over jobs.", role: "viewer", query: { ...aggregate, jobs: "ids; default all" }, response: aggregatedMetrics,
    handle: async ({ gateway, query }) => {
      const chosen = list(query, "jobs");
      const ids = (await gateway.listJobs()).map(({ jobId }) => jobId).filter((id) => chosen.length === 0 || chosen.includes(id));
      return aggregated(await Promise.all(ids.map(async (id) => jobMetrics(await gateway.job(id)))), query);
    },
  }),
  route({
    method: "GET", path: "/jobs/:jobid/metrics", summary: "Metrics of a job.", role: "viewer", query: get, response: metrics,
    handle: async ({ gateway, params, query }) => select(jobMetrics(await gateway.job(params["jobid"]!)), query),
  }),
  route({
    method: "GET", path: "/jobs/:jobid/vertices/:vertexid/metrics", summary: "Metrics of all subtasks of a vertex, by `<subtask>.<metric>`.", role: "viewer", query: get, response: metrics,
    handle: async (request) => {
      const { vertex, current } = await find(request);
      const all = current.flatMap((execution) => Object.entries(taskValues(vertex, execution)).map(([name, value]) => [`${execution.subtaskIndex}.${name}`, value] as const));
      return select(Object.fromEntries(all), request.query);
    },
  }),
  route({
    method: "GET", path: "/jobs/:jobid/vertices/:vertexid/subtasks/metrics", summary: "Metrics over the subtasks of a vertex.", role: "viewer",
    query: { ...aggregate, subtasks: "indices and ranges, such as 0-2,5; default all" }, response: aggregatedMetrics,
    handle: async (request) => {
      const { vertex, current } = await find(request);
      const chosen = ranges(list(request.query, "subtasks"), current.length);
      return aggregated(current.filter(({ subtaskIndex }) => chosen.has(subtaskIndex)).map((execution) => taskValues(vertex, execution)), request.query);
    },
  }),
  route({
    method: "GET", path: "/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/metrics", summary: "Metrics of one subtask.", role: "viewer", query: get, response: metrics,
    handle: async (request) => {
      const { vertex, current } = await find(request);
      const execution = current[Number(request.params["subtaskindex"])];
      if (execution === undefined) throw new RestError(404, `Invalid subtask index for vertex ${vertex.id}`);
      return select(taskValues(vertex, execution), request.query);
    },
  }),
  route({
    method: "GET", path: "/jobs/:jobid/vertices/:vertexid/jm-operator-metrics", summary: "Metrics of operator coordinators: none are kept.", role: "viewer", query: get, response: metrics,
    empty: true,
    handle: async (request) => {
      await find(request);
      return [];
    },
  }),
];

function taskValues(vertex: JobVertex, { metrics: values }: ExecutionView): Record<string, number | string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [taskMetricName(vertex, name), name.endsWith("Watermark") ? watermarkText(value) : value]));
}

function list(query: URLSearchParams, name: string): string[] {
  return query.getAll(name).flatMap((value) => value.split(",")).map((value) => value.trim()).filter((value) => value !== "");
}

/** Names alone, or the values that are asked for and exist. */
function select(values: Values, query: URLSearchParams): Infer<typeof metrics> {
  const named = Object.entries(values).map(([name, value]) => [queryName(name), value] as const);
  if (!query.has("get")) return named.map(([id]) => ({ id }));
  const wanted = new Set(list(query, "get"));
  return named.filter(([id]) => wanted.has(id)).map(([id, value]) => ({ id, value: String(value) }));
}

const aggregations = ["min", "max", "avg", "sum", "skew"] as const;

function aggregated(each: readonly Values[], query: URLSearchParams): Infer<typeof aggregatedMetrics> {
  const names = new Set(each.flatMap((values) => Object.keys(values)));
  if (!query.has("get")) return [...names].map((name) => ({ id: queryName(name) }));
  const wanted = new Set(list(query, "get"));
  const asked = list(query, "agg").map((name) => name.toLowerCase());
  for (const name of asked) if (!(aggregations as readonly string[]).includes(name)) throw new RestError(400, `Cannot resolve query parameter (agg) from value "${name}": it is one of ${aggregations.join(", ")}.`);
  const chosen = aggregations.filter((name) => asked.length === 0 || asked.includes(name));
  return [...names].filter((name) => wanted.has(queryName(name))).flatMap((name) => {
    const numbers = each.map((values) => Number(values[name])).filter((value) => Number.isFinite(value));
    if (numbers.length === 0) return [];
    const sum = numbers.reduce((total, value) => total + value, 0);
    const all = { min: Math.min(...numbers), max: Math.max(...numbers), avg: sum / numbers.length, sum, skew: skewOf(numbers, sum / numbers.length) };
    return [{ id: queryName(name), ...Object.fromEntries(chosen.map((aggregation) => [aggregation, all[aggregation]])) }];
  });
}

/** How unevenly a metric is spread, in percent: 0 for equal shares. Flink: FLIP-418. */
function skewOf(numbers: readonly number[], mean: number): number {
  if (mean === 0 || numbers.length < 2) return 0;
  const deviation = numbers.reduce((sum, value) => sum + Math.abs(value - mean), 0) / numbers.length;
  return Math.min(100, (deviation / Math.abs(mean)) * 100);
}

/** Indices from `0-2,5`. @throws 400 for anything else */
function ranges(parts: readonly string[], length: number): Set<number> {
  if (parts.length === 0) return new Set(Array.from({ length }, (_, index) => index));
  const chosen = new Set<number>();
  for (const part of parts) {
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part);
    if (match === null) throw new RestError(400, `Cannot resolve query parameter (subtasks) from value "${part}".`);
    const last = Math.min(Number(match[2] ?? match[1]), length - 1);
    for (let index = Number(match[1]); index <= last; index++) chosen.add(index);
  }
  return chosen;
}
