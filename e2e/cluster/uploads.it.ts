import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LocalCluster, until } from "./processes.js";

/* Job bundles through REST: uploaded, planned, run and deleted, as Flink's clients do it with JARs. */
const job = fileURLToPath(new URL("../../packages/cli/test/jobs/counts-for-ever.ts", import.meta.url));
let cluster: LocalCluster;
let bundle: string;

before(async () => {
  cluster = await LocalCluster.start(1, { "web.submit.enable": "true", "web.upload.dir": "uploads", "rest.server.max-content-length": "20 mb", "taskmanager.numberOfTaskSlots": "2" });
  bundle = join(cluster.directory, "counts.mjs");
  const { code, output } = await cluster.run("bundle", job, "-o", bundle);
  assert.equal(code, 0, output);
});
after(() => cluster.stop());

async function ask(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: any }> {
  const response = await fetch(`${cluster.restUrl}/v1${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { status: response.status, body: await response.json() };
}

async function upload(content: string | Uint8Array, name = "counts.mjs"): Promise<{ readonly status: number; readonly body: any }> {
  const form = new FormData();
  form.append("jarfile", new Blob([content]), name);
  const response = await fetch(`${cluster.restUrl}/v1/jars/upload`, { method: "POST", body: form });
  return { status: response.status, body: await response.json() };
}

test("a bundle is uploaded, planned, run with arguments, and deleted", async () => {
  const uploaded = await upload(readFileSync(bundle));
  assert.equal(uploaded.status, 200, JSON.stringify(uploaded.body));
  const id = uploaded.body.filename as string;
  assert.match(id, /^[0-9a-f-]{36}_counts\.mjs$/);
  assert.deepEqual(readdirSync(join(cluster.directory, "uploads/millrace-web-upload")), [id]);
  const { body: { files } } = await ask("GET", "/jars");
  assert.deepEqual(files.map((file: { id: string; name: string }) => [file.id, file.name]), [[id, "counts.mjs"]]);

  const plan = await ask("GET", `/jars/${id}/plan?parallelism=2`);
  assert.equal(plan.status, 200, JSON.stringify(plan.body));
  assert.ok(plan.body.plan.nodes.some(({ parallelism }: { parallelism: number }) => parallelism === 2));
  assert.equal((await ask("GET", "/jobs")).body.jobs.length, 0, "a plan runs nothing");

  const jobId = "c".repeat(32);
  const run = await ask("POST", `/jars/${id}/run`, { parallelism: 2, jobId, programArgsList: ["--count", "500"], flinkConfiguration: { "pipeline.name": "counted once" } });
  assert.equal(run.status, 200, JSON.stringify(run.body));
  assert.equal(run.body.jobid, jobId);
  await until(async () => (await ask("GET", `/jobs/${jobId}`)).body.state === "FINISHED");
  assert.equal((await ask("GET", `/jobs/${jobId}`)).body.name, "counted once");
  assert.equal((await ask("POST", `/jars/${id}/run`, { jobId })).status, 409);
  const unknown = await ask("POST", `/jars/${id}/run`, { flinkConfiguration: { "no.such.key": "1" } });
  assert.equal(unknown.status, 400, JSON.stringify(unknown.body));

  assert.equal((await ask("DELETE", `/jars/${id}`)).status, 200);
  assert.equal((await ask("DELETE", `/jars/${id}`)).status, 404);
  assert.equal((await ask("POST", `/jars/${id}/run`, {})).status, 404);
  assert.deepEqual((await ask("GET", "/jars")).body.files, []);
});

test("a program that fails, ends the process or never comes to its job is an error of the request, and nothing else", async () => {
  const programs: Readonly<Record<string, readonly [text: string, error: RegExp]>> = {
    "throws.mjs": ['throw new Error("not today");', /BUNDLE_FAILED.*not today/], "exits.mjs": ["process.exit(3);", /JOB_NOT_DEFINED/], "ends.mjs": ["", /JOB_NOT_DEFINED/],
  };
  for (const [name, [text, error]] of Object.entries(programs)) {
    const file = join(cluster.directory, name.replace(".mjs", ".ts"));
    writeFileSync(file, `import { StreamExecutionEnvironment } from ${JSON.stringify("millrace")};\nif (StreamExecutionEnvironment !== undefined) {\n${text}\n}\nexport {};\n`);
    const made = await cluster.run("bundle", file, "-o", join(cluster.directory, name));
    assert.equal(made.code, 0, made.output);
    const { body: { filename } } = await upload(readFileSync(join(cluster.directory, name)), name);
    const run = await ask("POST", `/jars/${filename}/run`, {});
    assert.equal(run.status, 400, `${name}: ${JSON.stringify(run.body)}`);
    assert.match(run.body.errors.join(), error);
  }
  assert.equal((await ask("GET", "/overview")).status, 200);
});

test("what is no bundle, too large or badly named is refused, and leaves nothing behind", async () => {
  const before = readdirSync(join(cluster.directory, "uploads"), { recursive: true }).length;
  assert.equal((await upload("console.log(1)")).status, 400);
  assert.equal((await upload(readFileSync(bundle), "counts.jar")).status, 400);
  assert.equal((await upload(readFileSync(bundle), "../../evil.mjs")).status, 400);
  const large = await upload(new Uint8Array(30 * 1024 ** 2)).catch(() => ({ status: 413 }));
  assert.equal(large.status, 413);
  for (const id of ["..%2f..%2fcounts.mjs", "%2e%2e%2fcounts.mjs", "counts.mjs"]) assert.ok([400, 404].includes((await ask("POST", `/jars/${id}/run`, {})).status), id);
  assert.equal(readdirSync(join(cluster.directory, "uploads"), { recursive: true }).length, before);
});
