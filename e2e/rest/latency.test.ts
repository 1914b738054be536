// Latency markers: how old they are in each operator is a histogram, in REST as in Prometheus.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../cluster/processes.js";
import { asker, startRunningJob } from "./running-job.js";

/** The figures of each histogram, by its name; each granularity tells sources apart in its own way. */
const expected = {
  SINGLE: /^latency\.all_sources$/, OPERATOR: /^latency\.source_id\.[0-9a-f]{32}$/, SUBTASK: /^latency\.source_id\.[0-9a-f]{32}\.source_subtask_index\.[01]$/,
} as const;

/** The job fails once, and its tasks begin anew with their metrics. */
async function restarted(ask: ReturnType<typeof asker>, jobId: string): Promise<void> {
  await until(async () => (await ask("GET", `/jobs/${jobId}/exceptions`)).body.exceptionHistory.entries.length > 0);
  await until(async () => (await ask("GET", `/jobs/${jobId}`)).body.vertices.every(({ status }: { status: string }) => status === "RUNNING"));
}

for (const [granularity, form] of Object.entries(expected)) {
  test(`granularity ${granularity}`, async () => {
    const job = await startRunningJob({}, { "metrics.latency.interval": "10 ms", "metrics.latency.granularity": granularity.toLowerCase() });
    try {
      const ask = asker(job.server.url);
      await restarted(ask, job.jobId);
      const { body: { vertices } } = await ask("GET", `/jobs/${job.jobId}`);
      const metrics = `/jobs/${job.jobId}/vertices/${vertices.find(({ name }: { name: string }) => name.includes("counting")).id}/subtasks/0/metrics`;
      let names: string[] = [];
      const wanted = granularity === "SUBTASK" ? 2 : 1;
      await until(async () => {
        names = (await ask("GET", metrics)).body.map(({ id }: { id: string }) => id);
        return names.filter((name) => /^counting\.latency\..*_count$/.test(name)).length >= wanted;
      });
      const histograms = names.flatMap((name) => /^counting\.(latency\..*)_count$/.exec(name)?.[1] ?? []);
      assert.equal(histograms.length, wanted);
      for (const histogram of histograms) assert.match(histogram, form);
      const figures = ["min", "max", "mean", "median", "stddev", "p75", "p90", "p95", "p98", "p99", "p999"].map((figure) => `counting.${histograms[0]}_${figure}`);
      const { body: values } = await ask("GET", `${metrics}?get=${figures.join()}`);
      assert.deepEqual(values.map(({ id }: { id: string }) => id).sort(), [...figures].sort());
      assert.ok(values.every(({ value }: { value: string }) => Number(value) >= 0 && Number(value) < 60_000), JSON.stringify(values));
      const text = (await ask("GET", "/metrics")).text!;
      const name = `flink_taskmanager_job_task_operator_${histograms[0]!.replaceAll(".", "_")}`;
      assert.match(text, new RegExp(`^# TYPE ${name} summary$`, "m"));
      for (const quantile of ["0.5", "0.99", "0.999"]) assert.match(text, new RegExp(`^${name}\\{[^}]*operator_name="counting"[^}]*quantile="${quantile}"[^}]*\\} \\d`, "m"));
    } finally {
      await job.close();
    }
  });
}

test("there are none without an interval", async () => {
  const job = await startRunningJob();
  try {
    const ask = asker(job.server.url);
    await until(async () => (await ask("GET", `/jobs/${job.jobId}/checkpoints`)).body.counts.completed >= 2);
    assert.doesNotMatch((await ask("GET", "/metrics")).text!, /latency/);
  } finally {
    await job.close();
  }
});
