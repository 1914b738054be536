import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LocalCluster, until } from "./processes.js";

/* Flink's REST API as a JobManager process serves it, with real TaskManagers. */
const job = (name: string): string => fileURLToPath(new URL(`../../packages/cli/test/jobs/${name}`, import.meta.url));
const prometheus = { "metrics.reporter.prom.factory.class": "org.apache.flink.metrics.prometheus.PrometheusReporterFactory", "metrics.reporter.prom.port": "0" };
let cluster: LocalCluster;

before(async () => {
  cluster = await LocalCluster.start(2, { "taskmanager.numberOfTaskSlots": "2", "cluster.evenly-spread-out-slots": "true", ...prometheus });
});
after(() => cluster.stop());

interface Answer {
  readonly status: number;
  readonly body: any;
}

async function ask(path: string, method = "GET"): Promise<Answer> {
  const response = await fetch(`${cluster.restUrl}${path}`, { method });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

async function get(path: string): Promise<any> {
  const { status, body } = await ask(path);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

test("a job on two TaskManagers is shown, located, cancelled and remembered", async () => {
  const submitted = await cluster.run("run", "-d", "-m", cluster.address, "-p", "2", job("counts-for-ever.ts"));
  assert.equal(submitted.code, 0, submitted.output);
  const jobId = /JobID ([0-9a-f]{32})/.exec(submitted.output)![1]!;
  await until(async () => (await get("/v1/jobs/overview")).jobs[0].tasks.running === (await get(`/v1/jobs/${jobId}`)).vertices.reduce((sum: number, { parallelism }: { parallelism: number }) => sum + parallelism, 0));

  const overview = await get("/v1/overview");
  assert.deepEqual([overview.taskmanagers, overview["slots-total"], overview["slots-available"], overview["jobs-running"]], [2, 4, 2, 1]);
  const [listed] = (await get("/v1/jobs/overview")).jobs;
  assert.deepEqual([listed.jid, listed.state, listed["end-time"]], [jobId, "RUNNING", -1]);
  const details = await get(`/v1/jobs/${jobId}`);
  assert.equal(details.state, "RUNNING");
  const wide = details.vertices.find(({ parallelism }: { parallelism: number }) => parallelism === 2);

  const { taskmanagers } = await get("/v1/taskmanagers");
  assert.equal(taskmanagers.length, 2);
  for (const { id } of taskmanagers) {
    const { slotsNumber, freeSlots, allocatedSlots, hardware, timeSinceLastHeartbeat } = await get(`/v1/taskmanagers/${id}`);
    assert.deepEqual([slotsNumber, freeSlots, allocatedSlots.length, allocatedSlots[0].jobId], [2, 1, 1, jobId]);
    assert.ok(allocatedSlots[0].assignedTasks >= 1 && hardware.cpuCores >= 1 && hardware.physicalMemory > 0);
    assert.ok(Math.abs(Date.now() - timeSinceLastHeartbeat) < 60_000);
  }
  assert.equal((await ask("/v1/taskmanagers/nobody")).status, 404);
  const located = (await get(`/v1/jobs/${jobId}/vertices/${wide.id}`)).subtasks;
  assert.deepEqual(located.map((subtask: Record<string, unknown>) => subtask["taskmanager-id"]).sort(), taskmanagers.map(({ id }: { id: string }) => id).sort());
  assert.ok(located.every(({ endpoint }: { endpoint: string }) => /^127\.0\.0\.1:\d+$/.test(endpoint)), JSON.stringify(located));
  assert.equal((await get(`/v1/jobs/${jobId}/execution-result`)).status.id, "IN_PROGRESS");

  assert.equal((await ask(`/v1/jobs/${jobId}`, "PATCH")).status, 202);
  await until(async () => (await get(`/v1/jobs/${jobId}`)).state === "CANCELED");
  assert.deepEqual((await get("/v1/jobs/overview")).jobs.map(({ jid, state }: Record<string, unknown>) => [jid, state]), [[jobId, "CANCELED"]]);
  assert.equal((await get(`/v1/jobs/${jobId}/execution-result`))["job-execution-result"]["application-status"], "CANCELED");
  const ended = (await get(`/v1/jobs/${jobId}/vertices/${wide.id}`)).subtasks;
  assert.deepEqual(ended.map((subtask: Record<string, unknown>) => subtask["taskmanager-id"]), located.map((subtask: Record<string, unknown>) => subtask["taskmanager-id"]));
  const freed = await get("/v1/overview");
  assert.deepEqual([freed["slots-available"], freed["jobs-running"], freed["jobs-cancelled"]], [4, 0, 1]);
});

test("why a job failed is remembered", async () => {
  const { code, output } = await cluster.run("run", "-m", cluster.address, job("fails.ts"));
  assert.equal(code, 1, output);
  const failed = (await get("/v1/jobs/overview")).jobs.find(({ state }: { state: string }) => state === "FAILED");
  const result = await get(`/v1/jobs/${failed.jid}/execution-result`);
  assert.equal(result.status.id, "COMPLETED");
  assert.match(result["job-execution-result"]["failure-cause"]["stack-trace"], /fails\.ts:\d+/);
  assert.equal((await ask(`/v1/jobs/${failed.jid}`, "PATCH")).status, 409);
});

test("metrics reporters run beside it", async () => {
  const place = /metrics for Prometheus: (\S+)\n/;
  await until(() => place.test(cluster.jobManager.output()));
  const url = place.exec(cluster.jobManager.output())![1]!;
  assert.match(await (await fetch(url)).text(), /^flink_jobmanager_numRegisteredTaskManagers\{[^}]*\} 2$/m);
});

test("requests of other sites' pages are refused", async () => {
  const status = (path: string, headers: Readonly<Record<string, string>>, method = "GET"): Promise<number | undefined> => new Promise((resolve, reject) => {
    request(`${cluster.restUrl}${path}`, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).once("error", reject).end();
  });
  assert.equal(await status("/v1/overview", {}), 200);
  assert.equal(await status("/v1/overview", { host: "evil.example" }), 403);
  assert.equal(await status("/v1/cluster", { origin: "https://evil.example" }, "DELETE"), 403);
  const exposed = await cluster.run("jobmanager", "-D", "jobmanager.rpc.port=0", "-D", "rest.port=0", "-D", "rest.bind-address=0.0.0.0");
  assert.notEqual(exposed.code, 0);
  assert.match(exposed.output, /BIND_NOT_SAFE/);
});

test("DELETE /cluster stops the JobManager", async () => {
  assert.equal((await ask("/v1/cluster", "DELETE")).status, 200);
  assert.equal(await cluster.jobManager.ended, 0, cluster.jobManager.output());
});
