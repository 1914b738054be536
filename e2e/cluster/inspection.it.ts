import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LocalCluster, until } from "./processes.js";

/* What REST shows of the processes of a cluster: their logs, what they print, what their threads do, flame graphs and figures. */
const job = fileURLToPath(new URL("./jobs/keeps-busy.ts", import.meta.url));
const flameGraphs = { "rest.flamegraph.enabled": "true", "rest.flamegraph.num-samples": "20", "rest.flamegraph.delay-between-samples": "20 ms", "rest.flamegraph.refresh-interval": "100 ms" };

/** The largest log files of the TaskManagers: small enough that some are put aside. */
const small = { "env.log.max-file-size": "400 b" };

for (const isolation of ["thread", "process"] as const) describe(`slots as ${isolation}`, () => {
  let cluster: LocalCluster;
  let taskManager = "";

  const get = async (path: string): Promise<any> => {
    const response = await fetch(`${cluster.restUrl}${path}`);
    const text = await response.text();
    assert.equal(response.status, 200, `${path}: ${text}`);
    return response.headers.get("content-type")!.startsWith("application/json") ? JSON.parse(text) : text;
  };
  const submitted = new Set<string>();
  const submit = async (...args: readonly string[]): Promise<{ readonly jobId: string; readonly vertices: readonly { readonly id: string; readonly name: string }[] }> => {
    const { code, output } = await cluster.run("run", "-d", "-m", cluster.address, job, ...args);
    assert.equal(code, 0, output);
    const jobId = /JobID ([0-9a-f]{32})/.exec(output)![1]!;
    submitted.add(jobId);
    await until(async () => (await get(`/v1/jobs/${jobId}`)).vertices.every(({ status }: { status: string }) => status === "RUNNING"));
    return { jobId, vertices: (await get(`/v1/jobs/${jobId}`)).vertices };
  };
  const cancel = async (jobId: string): Promise<void> => {
    submitted.delete(jobId);
    await fetch(`${cluster.restUrl}/v1/jobs/${jobId}`, { method: "PATCH" });
    await until(async () => (await get(`/v1/jobs/${jobId}`)).state === "CANCELED");
  };

  before(async () => {
    cluster = await LocalCluster.start(0, { "task.cancellation.timeout": "500 ms", "rest.profiling.enabled": "true", ...flameGraphs });
    await cluster.startTaskManager({ "slot.isolation": isolation, "env.log.dir": join(cluster.directory, "logs"), ...small });
    [{ id: taskManager }] = (await get("/v1/taskmanagers")).taskmanagers;
  });
  after(() => cluster.stop());
  afterEach(async () => {
    for (const jobId of submitted) await cancel(jobId);
  });

  test("logs and what jobs print", async () => {
    const { jobId } = await submit();
    const own = await get("/v1/jobmanager/log");
    assert.match(own, /INFO {2}JobManager listens on/);
    assert.match(own, /keeps busy/);
    const listed = (await get("/v1/jobmanager/logs")).logs.map(({ name }: { name: string }) => name.replace(/^.*\./, "")).sort();
    assert.deepEqual(listed, ["log", "out"]);
    assert.equal(typeof (await get("/v1/jobmanager/stdout")), "string");
    await until(async () => (await get(`/v1/taskmanagers/${taskManager}/stdout`)).includes("] written by a function\n"));
    await cancel(jobId);
    // As long as the process writes, what is listed is another moment's.
    await until(async () => {
      const { logs } = (await get(`/v1/taskmanagers/${taskManager}/logs`)) as { readonly logs: readonly { readonly name: string; readonly size: number }[] };
      assert.ok(logs.some(({ name }) => name.endsWith(".out")), JSON.stringify(logs));
      assert.ok(logs.every(({ size }) => size <= 400), JSON.stringify(logs));
      const lengths = await Promise.all(logs.map(async ({ name }) => (await (await fetch(`${cluster.restUrl}/v1/taskmanagers/${taskManager}/logs/${name}`)).text()).length));
      const names = readdirSync(join(cluster.directory, "logs"));
      return logs.every(({ name, size }, i) => size === lengths[i] && names.includes(name)) && names.length === logs.length;
    });
    for (const path of ["..%2f..%2f..%2fetc%2fpasswd", "%2e%2e%252f%2e%2e%252fetc%252fpasswd", "..%5c..%5cetc", "%00", "no-such.log"]) {
      const { status } = await fetch(`${cluster.restUrl}/v1/taskmanagers/${taskManager}/logs/${path}`);
      assert.ok(status === 400 || status === 404, `${path}: ${status}`);
    }
  });

  test("a thread dump shows where user code spins", async () => {
    const { jobId } = await submit("--for-ever");
    await until(async () => {
      const { threadInfos } = await get(`/v1/taskmanagers/${taskManager}/thread-dump`);
      const slot = threadInfos.find(({ threadName }: { threadName: string }) => threadName === `slot 0 of keeps busy (${jobId})`);
      assert.ok(threadInfos.some(({ threadName }: { threadName: string }) => threadName === "main"), JSON.stringify(threadInfos));
      const text = (slot as { readonly stringifiedThreadInfo: string } | undefined)?.stringifiedThreadInfo ?? "";
      return /RUNNABLE/.test(text) && /\tat burnTime \(\S*keeps-busy\.ts:6:\d+\)\n[^]*\tat task burning.* \(1\/1\)\n/.test(text);
    });
    const own = await get("/v1/jobmanager/thread-dump");
    assert.match(own.threadInfos[0].stringifiedThreadInfo, /^"main" Id=0 /);
    await cancel(jobId);
  });

  test("flame graphs of a vertex", async () => {
    const { jobId, vertices } = await submit();
    const burning = vertices.find(({ name }) => name.includes("burning"))!;
    const source = vertices.find(({ name }) => name.includes("numbers"))!;
    const graph = (id: string, query: string): Promise<any> => get(`/v1/jobs/${jobId}/vertices/${id}/flamegraph${query}`);
    await until(async () => (await graph(burning.id, "")).endTimestamp > 0);
    const frames = (node: { readonly name: string; readonly children: readonly any[] }): string[] => [node.name, ...node.children.flatMap(frames)];
    await until(async () => frames((await graph(burning.id, "?type=ON_CPU")).data).some((name) => /^burnTime \(keeps-busy\.ts:\d+\)$/.test(name)));
    const full = (await graph(burning.id, "?type=FULL&subtaskindex=0")).data;
    assert.equal(full.name, "root");
    assert.equal(full.value, full.children.reduce((sum: number, { value }: { value: number }) => sum + value, 0));
    await until(async () => {
      const { endTimestamp, data } = await graph(source.id, "?type=OFF_CPU");
      return endTimestamp > 0 && frames(data).includes("another task of the slot runs");
    });
    assert.equal((await fetch(`${cluster.restUrl}/v1/jobs/${jobId}/vertices/${burning.id}/flamegraph?type=HALF`)).status, 400);
    await cancel(jobId);
    assert.equal((await graph(burning.id, "")).endTimestamp, -3);
  });

  test("profiles of the TaskManager and the JobManager", async () => {
    const { jobId } = await submit();
    for (const [path, mode] of [[`/v1/taskmanagers/${taskManager}/profiler`, "CPU"], [`/v1/taskmanagers/${taskManager}/profiler`, "ALLOC"], ["/v1/jobmanager/profiler", "WALL"]] as const) {
      const started = await fetch(`${cluster.restUrl}${path}`, { method: "POST", body: JSON.stringify({ mode, duration: 1 }) });
      assert.equal(started.status, 200, await started.clone().text());
      assert.equal(((await started.json()) as any).status, "RUNNING");
      await until(async () => (await get(path)).profilingList[0].status !== "RUNNING");
      const [{ status, message, outputFile }] = (await get(path)).profilingList;
      assert.equal(status, "FINISHED", message);
      const { threads } = JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(await get(`${path}/${outputFile}`))![1]!) as { threads: readonly { name: string; tree: any; profile: any }[] };
      assert.ok(threads.some(({ name }) => name === "main"), threads.map(({ name }) => name).join());
      const slot = threads.find(({ name }) => name === `slot 0 of keeps busy (${jobId})`);
      assert.equal(slot !== undefined, path.includes(taskManager), threads.map(({ name }) => name).join());
      if (mode !== "CPU") continue;
      const frames = (node: { readonly name: string; readonly children: readonly any[] }): string[] => [node.name, ...node.children.flatMap(frames)];
      // The callback, or what it calls: V8 may have put that into it before.
      const names = frames(slot!.tree);
      assert.ok(names.some((name) => /^task burning.* \(1\/1\)$/.test(name)) && names.some((name) => /\(keeps-busy\.ts:\d+\)$/.test(name)), names.join("\n"));
      // The profile that is saved has the sources' lines, too.
      assert.ok(slot!.profile.nodes.some(({ callFrame: { url, lineNumber } }: any) => url.endsWith("keeps-busy.ts") && lineNumber > 0));
    }
    await cancel(jobId);
  });

  test("figures of the process", async () => {
    const { jobId } = await submit();
    const names = [
      "Status.JVM.CPU.Load", "Status.JVM.CPU.Time", "Status.JVM.Memory.Heap.Used", "Status.JVM.Memory.Heap.Committed", "Status.JVM.Threads.Count", "Status.JVM.GarbageCollector.All.Count",
      "Status.Shuffle.Netty.TotalMemorySegments", "Status.Shuffle.Netty.TotalMemory",
    ];
    await until(async () => {
      const values = await get(`/v1/taskmanagers/${taskManager}/metrics?get=${names.join()}`);
      return names.every((name) => values.some(({ id, value }: { id: string; value: string }) => id === name && Number(value) > 0));
    });
    const { metrics } = await get(`/v1/taskmanagers/${taskManager}`);
    assert.ok(metrics.heapUsed > 0 && metrics.heapMax >= metrics.heapCommitted && metrics.nonHeapUsed > 0 && metrics.garbageCollectors.length > 0, JSON.stringify(metrics));
    const [sum] = await get("/v1/taskmanagers/metrics?get=Status.JVM.Memory.Heap.Used&agg=sum");
    assert.ok(sum.sum > 0);
    assert.match(await get("/metrics"), new RegExp(`^flink_taskmanager_Status_JVM_Memory_Heap_Used\\{[^}]*tm_id="${taskManager.replaceAll("-", "_")}"[^}]*\\} \\d+$`, "m"));
    await cancel(jobId);
  });
});
