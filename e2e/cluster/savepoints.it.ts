import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LocalCluster, until } from "./processes.js";

/* Savepoints by command and by REST, with real processes. */
const job = fileURLToPath(new URL("../../packages/cli/test/jobs/counts-for-ever.ts", import.meta.url));
let cluster: LocalCluster;

before(async () => {
  cluster = await LocalCluster.start(2, { "taskmanager.numberOfTaskSlots": "2" });
});
after(() => cluster.stop());

const command = (name: string, ...args: readonly string[]) => cluster.run(name, "-m", cluster.address, ...args);
const savepoints = (): string => join(cluster.directory, "savepoints");

async function started(...args: readonly string[]): Promise<string> {
  const { code, output } = await command("run", "-d", ...args);
  assert.equal(code, 0, output);
  const jobId = /JobID ([0-9a-f]{32})/.exec(output)![1]!;
  await until(async () => (await status(jobId)) === "RUNNING");
  return jobId;
}

async function status(jobId: string): Promise<string> {
  const client = await cluster.client();
  try {
    return await client.ask("jobStatus", { jobId });
  } finally {
    client.close();
  }
}

const lastLine = (output: string): string => output.trimEnd().split("\n").at(-1)!;
const metadataOf = (path: string): { type: string; formatVersion: number } => JSON.parse(readFileSync(join(path, "_metadata"), "utf8")) as never;

test("a job is stopped behind a savepoint, and goes on from it where it was moved to, with another parallelism", async () => {
  const jobId = await started("-p", "2", job);
  const missing = await command("savepoint", jobId);
  assert.equal(missing.code, 2, missing.output);
  assert.match(missing.output, /SAVEPOINT_DIRECTORY_MISSING[\s\S]*execution\.checkpointing\.savepoint-dir/);
  const taken = await command("savepoint", jobId.slice(0, 10), savepoints());
  assert.equal(taken.code, 0, taken.output);
  assert.equal(metadataOf(lastLine(taken.output)).formatVersion, 1);
  assert.equal(await status(jobId), "RUNNING");

  const stopped = await command("stop", "-p", savepoints(), jobId);
  assert.equal(stopped.code, 0, stopped.output);
  const path = lastLine(stopped.output);
  assert.equal(metadataOf(path).type, "savepoint");
  assert.equal(await status(jobId), "FINISHED");
  const again = await command("stop", "-p", savepoints(), jobId);
  assert.equal(again.code, 2, again.output);
  assert.match(again.output, /JOB_NOT_RUNNING/);

  const moved = join(cluster.directory, "moved");
  renameSync(path, moved);
  const second = await started("-p", "3", "-s", moved, "-claimMode", "NO_CLAIM", job);
  const drained = await command("stop", "--drain", "-p", savepoints(), second);
  assert.equal(drained.code, 0, drained.output);
  assert.equal(await status(second), "FINISHED");
  assert.ok(existsSync(moved));

  const disposed = await cluster.run("savepoint", "--dispose", moved);
  assert.equal(disposed.code, 0, disposed.output);
  assert.ok(!existsSync(moved));
  const throughJobManager = await command("savepoint", "-d", lastLine(drained.output));
  assert.equal(throughJobManager.code, 0, throughJobManager.output);
  assert.ok(!existsSync(lastLine(drained.output)));
});

test("what cannot be restored is refused before anything runs", async () => {
  const none = await command("run", "-s", join(cluster.directory, "nowhere"), job);
  assert.equal(none.code, 2, none.output);
  assert.match(none.output, /CHECKPOINT_NOT_FOUND[\s\S]*nowhere/);
  const legacy = await command("run", "-s", cluster.directory, "-cm", "LEGACY", job);
  assert.equal(legacy.code, 2, legacy.output);
  assert.match(legacy.output, /NO_CLAIM leaves them to you/);
  const jobId = await started(job);
  const path = lastLine((await command("stop", "-p", savepoints(), jobId)).output);
  const metadata = readFileSync(join(path, "_metadata"), "utf8");
  writeFileSync(join(path, "_metadata"), metadata.replaceAll(/"operatorId":"./g, `"operatorId":"x`));
  const other = await command("run", "-s", path, job);
  assert.equal(other.code, 2, other.output);
  assert.match(other.output, /CHECKPOINT_STATE_UNMATCHED[\s\S]*holds state of operators[\s\S]*nearest to/);
});

test("REST takes savepoints, stops jobs and disposes, with Flink's answers", async () => {
  const ask = async (method: string, path: string, body?: unknown): Promise<any> => {
    const response = await fetch(`${cluster.restUrl}/v1${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }) });
    return { status: response.status, body: await response.json() };
  };
  const outcome = async (path: string): Promise<any> => {
    let answer: any;
    await until(async () => (answer = (await ask("GET", path)).body).status.id === "COMPLETED");
    return answer.operation;
  };
  const jobId = await started(job);
  assert.equal((await ask("POST", `/jobs/${jobId}/savepoints`, {})).status, 400);
  const triggered = await ask("POST", `/jobs/${jobId}/savepoints`, { "target-directory": savepoints(), "cancel-job": false, triggerId: "0".repeat(32) });
  assert.deepEqual(triggered, { status: 202, body: { "request-id": "0".repeat(32) } });
  const { location } = await outcome(`/jobs/${jobId}/savepoints/${"0".repeat(32)}`);
  assert.equal(metadataOf(location).type, "savepoint");
  const { body: checkpoints } = await ask("GET", `/jobs/${jobId}/checkpoints`);
  assert.equal(checkpoints.latest.savepoint.external_path, location);
  assert.equal(checkpoints.latest.savepoint.checkpoint_type, "SAVEPOINT");

  const native = await ask("POST", `/jobs/${jobId}/savepoints`, { "target-directory": savepoints(), formatType: "NATIVE" });
  const { location: nativeLocation } = await outcome(`/jobs/${jobId}/savepoints/${native.body["request-id"]}`);
  assert.deepEqual([metadataOf(nativeLocation).type, metadataOf(nativeLocation).formatVersion], ["savepoint", 0]);
  const byCommand = await command("savepoint", "-type", "native", jobId, savepoints());
  assert.equal(byCommand.code, 0, byCommand.output);
  assert.equal(metadataOf(lastLine(byCommand.output)).formatVersion, 0);
  assert.equal((await command("savepoint", "--type", "other", jobId, savepoints())).code, 2);
  const stop = await ask("POST", `/jobs/${jobId}/stop`, { targetDirectory: savepoints(), drain: false });
  assert.equal(stop.status, 202);
  assert.ok(existsSync((await outcome(`/jobs/${jobId}/savepoints/${stop.body["request-id"]}`)).location));
  assert.equal((await ask("GET", `/jobs/${jobId}`)).body.state, "FINISHED");
  assert.equal((await ask("POST", `/jobs/${jobId}/stop`, { targetDirectory: savepoints() })).status, 409);

  const disposal = await ask("POST", "/savepoint-disposal", { "savepoint-path": location });
  assert.deepEqual(await outcome(`/savepoint-disposal/${disposal.body["request-id"]}`), {});
  assert.ok(!readdirSync(savepoints()).some((name) => location.endsWith(name)));
});
