// Every answer about a running job has the keys and types of Flink's (recorded by record.mjs), and fits the published OpenAPI document.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { allRoutes, misfits } from "@millrace/cluster/rest";
import { asker, startRunningJob, type RunningJob } from "./running-job.js";
import { requests } from "./requests.mjs";
import { differences, shapeOf } from "./shape.mjs";

interface Recorded {
  readonly status: number;
  readonly shape: unknown;
}

const recorded = JSON.parse(readFileSync(new URL("./flink-2.3.0.json", import.meta.url), "utf8")) as Readonly<Record<string, Recorded>>;

/** Where we answer otherwise, and why. */
const deviations: Readonly<Record<string, string>> = {
  "GET /v1/jobs/<job>/resource-requirements": "Flink's default scheduler answers 500; ours knows the bounds",
  "GET /v1/taskmanagers/00000000000000000000000000000000": "Flink answers 500 for a TaskManager that is not there, we 404",
  "POST /v1/jars/upload without a file": "uploads are off by default: 403 before anything is read",
  "POST /v1/jars/<unknown>/run": "as above",
  "DELETE /v1/jars/<unknown>": "as above",
};

/** What Flink has, and the recording does not show: of failed checkpoints, and percentiles once there are enough figures for them. */
const unrecorded = [/\.failure_(timestamp|message): Flink has no such key$/, /\.p\d+: number instead of string$/];

let job: RunningJob;
const answers = new Map<string, { readonly status: number; readonly body?: unknown }>();

before(async () => {
  job = await startRunningJob();
  for await (const answer of requests({ ask: asker(job.server.url), jobId: job.jobId })) answers.set(answer.name, answer);
});
after(() => job.close());

test("everything that Flink was asked was answered", () => {
  assert.deepEqual([...answers.keys()].sort(), Object.keys(recorded).sort());
});

for (const [name, { status, shape }] of Object.entries(recorded)) {
  if (name in deviations) continue;
  test(name, () => {
    const answer = answers.get(name)!;
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.deepEqual(differences(shape, shapeOf(answer.body)).filter((line) => !unrecorded.some((known) => known.test(line))), []);
  });
}

test("every answer fits the OpenAPI document", async () => {
  const { body: api } = await asker(job.server.url)("GET", "/v1/openapi.json");
  assert.equal(Object.values(api.paths as Record<string, object>).reduce((count, path) => count + Object.keys(path).length, 0), allRoutes.length);
  const wrong: string[] = [];
  for (const [name, { status, body }] of answers) {
    const operation = operationOf(api, name);
    if (operation === undefined) continue;
    const response = operation.responses[String(status)] ?? operation.responses["default"];
    wrong.push(...misfits(response.content["application/json"].schema, body).map((problem) => `${name}: ${problem}`));
  }
  assert.deepEqual(wrong, []);
});

/** The operation that a request of requests.mjs belongs to; its placeholders are `<name>`. */
function operationOf(api: any, name: string): any {
  const [method, path] = name.split(" ") as [string, string];
  const wanted = `/v1${path.replace(/^\/v1/, "").replace(/\?.*/, "")}`.split("/");
  const found = Object.entries(api.paths as Record<string, any>).filter(([template]) => {
    const parts = template.split("/");
    return parts.length === wanted.length && parts.every((part, index) => part === wanted[index] || (part.startsWith("{") && /^<|^[0-9a-z-]+$/.test(wanted[index]!)));
  });
  const best = found.sort(([a], [b]) => a.split("{").length - b.split("{").length)[0];
  return best?.[1][method.toLowerCase()];
}
