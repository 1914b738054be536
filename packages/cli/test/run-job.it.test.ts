import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobStatus } from "@millrace/graph";
import { runJob, submitJob } from "millrace";

const url = (name: string): URL => new URL(`./jobs/${name}`, import.meta.url);

test("runJob runs a module with arguments, and resolves with its result", async () => {
  const printed: string[] = [];
  const statuses: JobStatus[] = [];
  const result = await runJob(url("word-count.ts"), {
    args: ["a b a"], parallelism: 2, log: { write: (level, line) => void (level === "print" && printed.push(line.replace(/^\d+> /, ""))) },
    onStatus: (status) => statuses.push(status),
  });
  assert.equal(result.jobName, "word count");
  assert.deepEqual(printed.sort(), ["a 1", "a 2", "b 1"]);
  assert.deepEqual(statuses, ["CREATED", "RUNNING", "FINISHED"]);
});

test("runJob rejects with the job's failure and with what planning throws", async () => {
  await assert.rejects(runJob(url("fails.ts"), { log: { write: () => undefined } }), { code: "JOB_FAILED" });
  await assert.rejects(runJob(url("never-executes.ts")), { code: "JOB_NOT_DEFINED" });
  await assert.rejects(runJob(url("word-count.ts"), { config: { "no.such.key": 1 } }), { code: "CONFIG_UNKNOWN_KEY" });
  await assert.rejects(runJob(url("plans-for-ever.ts"), { planningTimeoutMs: 500 }), { code: "JOB_PLANNING_TIMEOUT" });
});

test("a submitted job can be cancelled while a function spins", async () => {
  let seen!: () => void;
  const started = new Promise<void>((resolve) => {
    seen = resolve;
  });
  const job = await submitJob(url("spins.ts"), { config: { "task.cancellation.timeout": "100 ms" }, log: { write: (_, line) => void (line.includes("spinning") && seen()) } });
  await started;
  await job.cancel();
  assert.equal(await job.getJobStatus(), "CANCELED");
  await job.kill();
});
