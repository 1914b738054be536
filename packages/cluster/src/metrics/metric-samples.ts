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

/** A histogram travels as these figures behind its name. */
const quantile = /^(.*)\.p(\d{2,3})$/;

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
          const labels = operator === undefined ? task : { ...task, operator_id: operator.id, operator_name: operator.name };
          samples.push(sampleOf(`${scope}.${metric}`, labels, value, current.metrics, full));
        }
      }
    });
  }
  return samples;
}

/** A figure of a histogram, when its siblings say that it is one; else a plain value. */
function sampleOf(name: string, labels: Readonly<Record<string, string>>, value: number, values: Readonly<Record<string, number | string>>, key = ""): MetricSample {
  const match = quantile.exec(key);
  if (match !== null && `${match[1]}.count` in values) return { name: name.replace(quantile, "$1"), labels, value, quantile: Number(match[2]) / 10 ** match[2]!.length };
  if (key.endsWith(".count") && `${key.slice(0, -6)}.p50` in values) return { name: `${name.slice(0, -6)}_count`, labels, value };
  return { name, labels, value };
}
