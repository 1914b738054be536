import type { RestGateway } from "../rest/gateway/rest-gateway.js";
import { jobMetrics } from "./job-metrics.js";
import { scopedName } from "./metric-names.js";

/** One value of one metric, with where it belongs as labels. */
export interface MetricSample {
  /** Flink's scope and name, joined by dots: `taskmanager.job.task.operator.numRecordsIn`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a histogram: which quantile this is. Its count comes as a sample of its own, `name` with `_count`. */
  readonly quantile?: number;
}

/** A histogram travels as figures behind its name; these are its quantiles, as Flink's reporter gives them. Minimum, maximum, mean and deviation are metrics of their own. */
const quantiles: ReadonlyMap<string, number> = new Map([["median", 0.5], ["p75", 0.75], ["p90", 0.9], ["p95", 0.95], ["p98", 0.98], ["p99", 0.99], ["p999", 0.999]]);

/** Every metric of a cluster as reporters send them, with Flink's logical scopes and labels. */
export async function collectSamples(gateway: RestGateway, host: string): Promise<MetricSample[]> {
  const [manager, taskManagers, jobs] = await Promise.all([gateway.jobManager(), gateway.taskManagers(), gateway.listJobs()]);
  const samples: MetricSample[] = [];
  const add = (scope: string, labels: Readonly<Record<string, string>>, values: Readonly<Record<string, number | string>>): void => {
    for (const [name, value] of Object.entries(values)) if (typeof value === "number") samples.push(sampleOf(`${scope}.${name}`, labels, value, values));
  };
  add("jobmanager", { host }, manager.metrics);
  for (const { id, metrics } of taskManagers) add("taskmanager", { host, tm_id: id }, metrics);
  for (const { jobId, name: job_name } of jobs) {
    // A job that vanishes meanwhile is not there any more.
    const view = await gateway.job(jobId).catch(() => undefined);
    if (view === undefined) continue;
    add("jobmanager.job", { host, job_id: jobId, job_name }, jobMetrics(view));
    view.jobGraph.vertices.forEach((vertex, index) => {
      for (const { current } of view.vertices[index]!.subtasks) {
        const task = {
          host, tm_id: current.location.taskManagerId, job_id: jobId, job_name, task_id: vertex.id, task_name: vertex.name, subtask_index: String(current.subtaskIndex),
          task_attempt_num: String(current.attemptNumber),
        };
        for (const [full, value] of Object.entries(current.metrics)) {
          const { operator, metric } = scopedName(vertex, full);
          const scope = operator === undefined ? "taskmanager.job.task" : "taskmanager.job.task.operator";
          const labels = operator === undefined ? task : { ...operator.metricVariables, ...task, operator_id: operator.id, operator_name: operator.name };
          samples.push(sampleOf(`${scope}.${metric}`, labels, value, current.metrics, full));
        }
      }
    });
  }
  return samples;
}

/** A figure of a histogram, when its siblings say that it is one; else a plain value. */
function sampleOf(name: string, labels: Readonly<Record<string, string>>, value: number, values: Readonly<Record<string, number | string>>, key = ""): MetricSample {
  const [, of = "", figure = ""] = /^(.*)_([a-z0-9]+)$/.exec(key) ?? [];
  const quantile = `${of}_count` in values && `${of}_median` in values ? quantiles.get(figure) : undefined;
  return quantile === undefined ? { name, labels, value } : { name: name.slice(0, -figure.length - 1), labels, value, quantile };
}
