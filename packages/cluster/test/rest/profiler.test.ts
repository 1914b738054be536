// Profilings of this process, which has a worker that is busy: what is found, what is kept, and what is refused.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Worker } from "node:worker_threads";
import { EmbeddedGateway, startRestServer, type RestServer } from "@millrace/cluster/rest";
import type { ProfilingMode, StackNode } from "../../src/inspection/process-inspection.js";

const busy = `
let kept = [];
function spinsHere() { const end = performance.now() + 20; while (performance.now() < end); }
function allocatesHere() { kept = []; for (let at = 0; at < 20000; at++) kept.push({ at, text: "x" + at }); }
setInterval(() => { spinsHere(); allocatesHere(); }, 25);
`;

let worker: Worker;
let server: RestServer;
let gateway: EmbeddedGateway;

before(async () => {
  worker = new Worker(busy, { eval: true, name: "a busy one" });
  await new Promise((resolve) => worker.once("online", resolve));
  gateway = new EmbeddedGateway({ version: "0", config: {} });
  server = await startRestServer({ gateway, version: "0", log: { write: () => undefined }, ports: [0], settings: { profilingEnabled: true, profilingMaxSeconds: 5 } });
});
after(async () => {
  await server.close();
  gateway.close();
  await worker.terminate();
});

const post = (mode: string, duration: unknown, path = "/jobmanager/profiler"): Promise<Response> => fetch(`${server.url}${path}`, { method: "POST", body: JSON.stringify({ mode, duration }) });
const list = async (path = "/jobmanager/profiler"): Promise<any[]> => ((await (await fetch(`${server.url}${path}`)).json()) as { profilingList: any[] }).profilingList;

interface Page {
  readonly head: Readonly<Record<string, string>>;
  readonly threads: readonly { readonly name: string; readonly tree: StackNode; readonly profile: any }[];
}

function dataOf(page: string): Page {
  return JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)![1]!) as Page;
}

const namesOf = ({ name, children }: StackNode): string[] => [name, ...children.flatMap(namesOf)];

async function profiled(mode: ProfilingMode): Promise<Page> {
  const started = await post(mode, 1);
  assert.equal(started.status, 200);
  const { status, duration, finishedTime, outputFile } = (await started.json()) as any;
  assert.deepEqual({ status, duration, finishedTime, outputFile }, { status: "RUNNING", duration: 1, finishedTime: null, outputFile: null });
  let [newest] = await list();
  while (newest.status === "RUNNING") [newest] = await list();
  assert.equal(newest.status, "FINISHED", newest.message);
  assert.ok(newest.finishedTime >= newest.triggerTime + 900);
  assert.match(newest.outputFile, new RegExp(`^process_${mode}_\\d{4}-\\d\\d-\\d\\d_\\d\\d_\\d\\d_\\d\\d\\.html$`));
  const file = await fetch(`${server.url}/jobmanager/profiler/${newest.outputFile}`);
  assert.equal(file.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(file.headers.get("content-disposition"), `attachment; filename="${newest.outputFile}"`);
  assert.match(file.headers.get("content-security-policy")!, /^sandbox /);
  return dataOf(await file.text());
}

for (const mode of ["CPU", "ITIMER", "WALL"] as const) test(`${mode}: the function that runs is in the profile of its thread`, async () => {
  const { head, threads } = await profiled(mode);
  assert.deepEqual([head["unit"], head["extension"]], ["samples", "cpuprofile"]);
  assert.ok(threads.some(({ name }) => name === "main"), threads.map(({ name }) => name).join());
  assert.ok(!threads.some(({ name }) => name === "millrace inspector"));
  const { tree, profile } = threads.find(({ name }) => name === "a busy one")!;
  assert.ok(namesOf(tree).some((name) => name.startsWith("spinsHere")), namesOf(tree).join());
  const idle = threads.flatMap((thread) => namesOf(thread.tree)).includes("(idle)");
  assert.equal(idle, mode === "WALL");
  // What Chrome reads of a .cpuprofile.
  assert.equal(profile.samples.length, profile.timeDeltas.length);
  assert.ok(profile.endTime - profile.startTime > 900_000 && profile.nodes[0].callFrame.functionName === "(root)");
  assert.ok(profile.nodes.some(({ callFrame }: any) => callFrame.functionName === "spinsHere"));
});

test("ALLOC: the function that allocates is in the profile, although nothing of it is kept", async () => {
  const { head, threads } = await profiled("ALLOC");
  assert.deepEqual([head["unit"], head["extension"]], ["bytes", "heapprofile"]);
  const { tree, profile } = threads.find(({ name }) => name === "a busy one")!;
  assert.ok(namesOf(tree).some((name) => name.startsWith("allocatesHere")), namesOf(tree).join());
  // 20 000 objects and strings every 45 ms or so: far more than is there at any moment.
  assert.ok(tree.value > 2_000_000, String(tree.value));
  assert.equal(profile.head.callFrame.functionName, "(root)");
});

test("JobManager and TaskManager of an embedded job are one process", async () => {
  assert.deepEqual((await list("/taskmanagers/embedded/profiler")).map(({ mode }) => mode), ["ALLOC", "WALL", "ITIMER", "CPU"]);
});

test("LOCK fails as a profiler does in Flink that cannot start", async () => {
  const answer = await post("LOCK", 1);
  assert.equal(answer.status, 200);
  const { status, message } = (await answer.json()) as any;
  assert.equal(status, "FAILED");
  assert.match(message, /^Start profiler failed\. LOCK: /);
  assert.equal((await list())[0].message, message);
});

test("a second one at a time, other modes and durations, and files that are none are refused", async () => {
  assert.equal((await post("CPU", 1)).status, 200);
  const second = await post("CPU", 1);
  assert.equal(second.status, 409);
  assert.match(await second.text(), /PROFILING_RUNS: process is still under profiling/);
  for (const duration of [0, -1, 1.5, 6, "1", undefined]) assert.equal((await post("CPU", duration)).status, 400, String(duration));
  assert.match(await (await post("CPU", 6)).text(), /`duration` must be set between \(0s, 5s\]\./);
  assert.equal((await post("HEAP", 1)).status, 400);
  assert.equal((await post("CPU", 1, "/taskmanagers/another/profiler")).status, 404);
  for (const name of ["no.html", "..%2f..%2fetc%2fpasswd", "%2e%2e", "..%252fx"]) {
    const { status } = await fetch(`${server.url}/jobmanager/profiler/${name}`);
    assert.ok(status === 404 || status === 400, `${name}: ${status}`);
  }
});

test("switched off, as it is by default, there is no profiler", async () => {
  const off = await startRestServer({ gateway, version: "0", log: { write: () => undefined }, ports: [0] });
  try {
    for (const path of ["/jobmanager/profiler", "/taskmanagers/embedded/profiler", "/jobmanager/profiler/x.html"]) {
      const answer = await fetch(`${off.url}${path}`);
      assert.equal(answer.status, 404, path);
      assert.match(await answer.text(), /rest\.profiling\.enabled/);
    }
    assert.equal((await fetch(`${off.url}/jobmanager/profiler`, { method: "POST", body: JSON.stringify({ mode: "CPU", duration: 1 }) })).status, 404);
  } finally {
    await off.close();
  }
});
