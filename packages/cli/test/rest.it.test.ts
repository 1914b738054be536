import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { submitJob } from "millrace";

const bin = fileURLToPath(new URL("../../millrace/bin/millrace.js", import.meta.url));
const url = (name: string): URL => new URL(`./jobs/${name}`, import.meta.url);
const quiet = { write: () => undefined };

test("a job on worker threads serves REST while it runs, and can be cancelled through it", async () => {
  const job = await submitJob(url("ticks.ts"), { parallelism: 2, config: { "rest.port": 0 }, log: quiet });
  const base = job.restUrl!;
  let details: any;
  do details = await (await fetch(`${base}/v1/jobs/${job.jobId}`)).json();
  while (!(details.vertices[0].metrics["write-records"] > 0));
  assert.equal(details.state, "RUNNING");
  assert.deepEqual((await (await fetch(`${base}/overview`)).json() as any)["slots-total"], 2);
  assert.match(await (await fetch(`${base}/metrics`)).text(), /^flink_taskmanager_job_task_numRecordsOut\{/m);
  assert.equal((await fetch(`${base}/jobs/${job.jobId}`, { method: "PATCH" })).status, 202);
  await assert.rejects(job.getJobExecutionResult(), { code: "JOB_CANCELED" });
  await job.kill();
  await assert.rejects(fetch(`${base}/overview`));
});

test("a bind that is not safe, or a port that is taken, fails before anything runs", async () => {
  await assert.rejects(submitJob(url("ticks.ts"), { config: { "rest.port": 0, "rest.bind-address": "0.0.0.0" }, log: quiet }), { code: "BIND_NOT_SAFE" });
  const first = await submitJob(url("ticks.ts"), { config: { "rest.port": 0 }, log: quiet });
  const { port } = new URL(first.restUrl!);
  await assert.rejects(submitJob(url("ticks.ts"), { config: { "rest.port": port, "web.refresh-interval": 1 }, log: quiet }), { code: "REST_PORT_IN_USE" });
  await first.cancel();
  await first.kill();
});

test("millrace cert and millrace token write what the server needs", () => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-cli-"));
  try {
    const cert = spawnSync(process.execPath, [bin, "cert", "server", "--dir", directory, "--host", "localhost", "127.0.0.1"], { encoding: "utf8" });
    assert.equal(cert.status, 0, cert.stderr);
    assert.match(cert.stdout, /^security\.ssl\.rest\.certificate: .*server\.pem$/m);
    assert.deepEqual(readdirSync(directory).sort(), ["ca.key", "ca.pem", "server.key", "server.pem"]);
    const file = join(directory, "tokens");
    const token = spawnSync(process.execPath, [bin, "token", "ci", "--role", "submitter", "--file", file], { encoding: "utf8" });
    assert.equal(token.status, 0, token.stderr);
    assert.match(token.stdout, /^[\w-]{43}\n$/);
    assert.match(readFileSync(file, "utf8"), /^ci submitter sha256:[0-9a-f]{64}\n$/);
    assert.equal(spawnSync(process.execPath, [bin, "token", "ci", "--role", "boss"], { encoding: "utf8" }).status, 2);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
