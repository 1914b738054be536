import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { VirtualTime } from "@millrace/testkit";
import { collectSamples, type MetricSample } from "../../src/metrics/metric-samples.js";
import { OtlpReporter, otlpMetrics } from "../../src/metrics/otlp-reporter.js";
import { PrometheusReporter } from "../../src/metrics/prometheus-reporter.js";
import { prometheusText } from "../../src/metrics/prometheus-text.js";
import { oneJob } from "../rest/one-job.js";
import { http, raw } from "../rest/raw-request.js";

/** Every line is a comment or a sample, each family is declared once, before its samples, and no sample comes twice. */
function checkExposition(text: string): void {
  const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (NaN|[+-]Inf|-?[0-9.e+-]+)$/;
  const declared = new Map<string, string>();
  const seen = new Set<string>();
  assert.ok(text.endsWith("\n"));
  for (const line of text.trimEnd().split("\n")) {
    const type = /^# TYPE (\S+) (gauge|summary|counter)$/.exec(line);
    if (type !== null) {
      assert.ok(!declared.has(type[1]!), `${type[1]} is declared twice`);
      declared.set(type[1]!, type[2]!);
    } else if (!line.startsWith("# HELP ")) {
      const match = sample.exec(line);
      assert.ok(match !== null, line);
      const family = match[1]!.replace(/_count$/, "");
      assert.ok(declared.has(match[1]!) || declared.get(family) === "summary", line);
      assert.ok(!seen.has(match[1]! + match[2]!), line);
      seen.add(match[1]! + match[2]!);
    }
  }
}

test("a running job's metrics have Flink's names and labels", async () => {
  const { gateway, slots, time, jobGraph } = await oneJob({ team: "billing" });
  try {
    slots.emit({
      type: "metrics", epoch: slots.epoch, attempt: { vertexId: "map", subtaskIndex: 1, attemptNumber: 0 },
      values: { numRecordsIn: 5, "map.numRecordsIn": 5, "map.latency_count": 3, "map.latency_median": 1, "map.latency_p99": 9, "map.latency_p999": 9, "map.latency_max": 10, "map.other_p99": 4, currentInputWatermark: Number.NEGATIVE_INFINITY },
    });
    await time.advance(0);
    const text = prometheusText(await collectSamples(gateway, "here"));
    checkExposition(text);
    assert.match(text, new RegExp(`^flink_taskmanager_job_task_numRecordsIn\\{host="here",tm_id="embedded",job_id="${jobGraph.jobId}",job_name="test",task_id="map",task_name="map",subtask_index="1",task_attempt_num="0"\\} 5$`, "m"));
    assert.match(text, /^flink_taskmanager_job_task_operator_numRecordsIn\{team="billing",.*operator_name="map".*\} 5$/m);
    assert.match(text, /^# TYPE flink_taskmanager_job_task_operator_latency summary$/m);
    assert.match(text, /^flink_taskmanager_job_task_operator_latency\{.*quantile="0.99"\} 9$/m);
    assert.match(text, /^flink_taskmanager_job_task_operator_latency\{.*quantile="0.999"\} 9$/m);
    assert.match(text, /^flink_taskmanager_job_task_operator_latency_count\{.*\} 3$/m);
    assert.match(text, /^# TYPE flink_taskmanager_job_task_operator_latency_max gauge\n.*\} 10$/m);
    assert.match(text, /^flink_taskmanager_job_task_operator_other_p99\{.*\} 4$/m);
    assert.match(text, /^flink_taskmanager_job_task_currentInputWatermark\{.*\} -Inf$/m);
    for (const name of ["jobmanager_job_numRestarts", "jobmanager_job_numberOfCompletedCheckpoints", "jobmanager_numRunningJobs", "jobmanager_Status_JVM_Memory_Heap_Used", "taskmanager_Status_JVM_CPU_Load"]) {
      assert.match(text, new RegExp(`^flink_${name}\\{`, "m"), name);
    }
  } finally {
    gateway.close();
  }
});

test("unusual names and label values stay valid", () => {
  const text = prometheusText([{ name: "a.b-c d", labels: { operator_name: "say \"hi\"\\\n" }, value: 1 }, { name: "a.b-c d", labels: { operator_name: "say \"hi\"\\\n" }, value: 2 }], { filterLabelCharacters: false });
  checkExposition(text);
  assert.match(text, /^flink_a_b_c_d\{operator_name="say \\"hi\\"\\\\\\n"\} 2$/m);
});

test("the Prometheus reporter takes the next port when one is taken, and answers no other site", async () => {
  const collect = async (): Promise<MetricSample[]> => [{ name: "x", labels: {}, value: 1 }];
  const first = await PrometheusReporter.start({ collect, ports: [0] });
  const second = await PrometheusReporter.start({ collect, ports: [first.port, 0] });
  try {
    assert.notEqual(first.port, second.port);
    await assert.rejects(PrometheusReporter.start({ collect, ports: [first.port] }), { code: "METRICS_PORT_IN_USE" });
    const answer = await raw(second.port, http("GET", "/metrics"));
    assert.match(answer.headers, /text\/plain; version=0\.0\.4/);
    assert.match(answer.body, /flink_x 1/);
    assert.equal((await raw(second.port, http("GET", "/metrics", { host: "evil.example" }))).status, 403);
    assert.equal((await raw(second.port, http("GET", "/other"))).status, 404);
  } finally {
    await first.close();
    await second.close();
  }
});

test("OTLP: gauges and summaries reach a collector; one that is away is reported once", async () => {
  const bodies: any[] = [];
  const collector = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      bodies.push({ path: request.url, type: request.headers["content-type"], ...JSON.parse(text) });
      response.end("{}");
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, "localhost", resolve));
  const endpoint = `http://localhost:${(collector.address() as AddressInfo).port}`;
  const lines: string[] = [];
  const time = new VirtualTime();
  const samples: MetricSample[] = [
    { name: "job.uptime", labels: { job_name: "j" }, value: 7 }, { name: "job.late", labels: {}, value: Number.NaN }, { name: "op.latency", labels: { o: "1" }, value: 4, quantile: 0.5 },
    { name: "op.latency_count", labels: { o: "1" }, value: 2 },
  ];
  const init = { collect: async () => samples, endpoint, intervalMs: 1000, serviceName: "s", serviceVersion: "1", clock: time.clock, log: { write: (_: string, line: string) => void lines.push(line) } };
  const reporter = new OtlpReporter(init);
  await reporter.report();
  const [body] = bodies;
  assert.deepEqual([body.path, body.type], ["/v1/metrics", "application/json"]);
  const { metrics } = body.resourceMetrics[0].scopeMetrics[0];
  assert.deepEqual(metrics.map((metric: any) => metric.name), ["flink.job.uptime", "flink.op.latency"]);
  assert.equal(metrics[0].gauge.dataPoints[0].asDouble, 7);
  assert.deepEqual(metrics[1].summary.dataPoints[0].quantileValues, [{ quantile: 0.5, value: 4 }]);
  assert.equal(metrics[1].summary.dataPoints[0].count, "2");
  assert.match(metrics[0].gauge.dataPoints[0].timeUnixNano, /^\d+$/);
  assert.deepEqual(otlpMetrics([], { serviceName: "s", serviceVersion: "1", startedMs: 0, nowMs: 0 })["resourceMetrics"], [
    { resource: { attributes: [{ key: "service.name", value: { stringValue: "s" } }, { key: "service.version", value: { stringValue: "1" } }] }, scopeMetrics: [{ scope: { name: "millrace", version: "1" }, metrics: [] }] },
  ]);
  await new Promise((resolve) => collector.close(resolve));
  await reporter.report();
  await reporter.report();
  assert.equal(lines.length, 1);
});
