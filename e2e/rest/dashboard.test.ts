// Flink's own dashboard (the static files of flink-runtime-web 2.3.0) calls these routes: each must be there and answer as the dashboard expects of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { allRoutes } from "@millrace/cluster/rest";
import { asker, startRunningJob, type RunningJob } from "./running-job.js";

/** As found in its JavaScript: `METHOD path`, with `:name` for what it fills in. */
const calls = readFileSync(new URL("./dashboard-calls.txt", import.meta.url), "utf8").trim().split("\n");

let job: RunningJob;
before(async () => void (job = await startRunningJob()));
after(() => job.close());

test("every route that the dashboard calls is in the table", () => {
  const known = new Set(allRoutes.map(({ method, path }) => `${method} ${path.replace(/:\w+/g, ":")}`));
  assert.deepEqual(calls.filter((call) => !known.has(call.replace(/:\w+/g, ":"))), []);
});

test("every page of the dashboard gets its data", async () => {
  const ask = asker(job.server.url);
  const vertices = (await ask("GET", `/jobs/${job.jobId}`)).body.vertices as { readonly id: string }[];
  const filled = { jobid: job.jobId, vertexid: vertices[0]!.id, taskmanagerid: "embedded", applicationid: job.jobId } as Readonly<Record<string, string>>;
  const refused: string[] = [];
  for (const call of calls) {
    const [method, path] = call.split(" ") as [string, string];
    const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1]!);
    if (method !== "GET" || names.some((name) => !(name in filled)) || path.endsWith("yarn-cancel")) continue;
    const { status } = await ask("GET", path.replace(/:(\w+)/g, (_, name: string) => filled[name]!));
    // Without log files, and without an adaptive scheduler, Flink answers 404, too.
    if (status !== 200 && !(status === 404 && /\/(log|stdout)$|\/rescales\//.test(path))) refused.push(`${call}: ${status}`);
  }
  assert.deepEqual(refused, []);
});
