import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { encodeValue } from "@millrace/core";
import { FramedConnection, MILLRACE_VERSION } from "@millrace/cluster";
import { createNodeEnv } from "@millrace/env-node";
import { LocalCluster, listeningPorts, until } from "./processes.js";

/* What a cluster makes of dead processes and of strangers at its ports. */
const job = (name: string): string => fileURLToPath(new URL(`../../packages/cli/test/jobs/${name}`, import.meta.url));

test("strangers at every port harm nobody: a job that runs meanwhile does not notice", async () => {
  const cluster = await LocalCluster.start(2, { "cluster.evenly-spread-out-slots": "true" });
  const { net } = createNodeEnv();
  try {
    const { output } = await cluster.run("run", "-d", "-m", cluster.address, "-p", "2", job("counts-for-ever.ts"));
    const jobId = /JobID ([0-9a-f]{32})/.exec(output)![1]!;
    const client = await cluster.client();
    await until(async () => (await client.ask("jobStatus", { jobId })) === "RUNNING");
    const ports = [cluster.port, ...(process.platform === "linux" ? listeningPorts(cluster.taskManagers[0]!.child.pid!) : [])];
    for (const port of ports) {
      for (const bytes of [Buffer.from("GET /../../../etc/passwd HTTP/1.1\r\n\r\n".repeat(5)), Buffer.alloc(1 << 16, 0xff), Buffer.concat([Buffer.from("MILLRACE\u0001"), Buffer.from([0x80, 0, 0, 0])])]) {
        const stranger = await net.connect("127.0.0.1", port).catch(() => undefined);
        if (stranger === undefined) continue;
        stranger.onData = () => undefined;
        stranger.write(bytes);
        stranger.close();
      }
    }
    const refused = new FramedConnection(await net.connect("127.0.0.1", cluster.port), 1 << 20);
    const end = new Promise<void>((resolve) => {
      refused.onClose = () => resolve();
    });
    refused.send(encodeValue({ role: "taskmanager", version: "9.9.9", about: { taskManagerId: "x", host: "h", numberOfSlots: 1, processId: 1 } }));
    await end;
    await until(() => cluster.jobManager.output().includes("RPC_MILLRACE_VERSION"));
    assert.notEqual(MILLRACE_VERSION, "9.9.9");
    assert.equal((await client.ask("overview", undefined)).taskManagers.length, 2);
    const metrics = await client.ask("jobMetrics", { jobId });
    assert.deepEqual([metrics.status, metrics.restarts], ["RUNNING", 0]);
    for (const hint of ["submitJob", "no such method", "__proto__", "constructor"]) await assert.rejects(client.ask(hint as "overview", {} as never));
    await assert.rejects(client.ask("putBlob", { key: "../../evil", offset: 0, bytes: new Uint8Array(1), last: true }), { code: "BLOB_KEY_INVALID" });
    client.close();
  } finally {
    await cluster.stop();
  }
});

test("TaskManagers that lost their JobManager stop its tasks and serve the next one", async () => {
  const cluster = await LocalCluster.start(2);
  try {
    const first = cluster.spawn(["run", "-m", cluster.address, "-p", "2", job("counts-for-ever.ts")]);
    await until(() => /^\d:\d+$/m.test(first.output()));
    cluster.jobManager.child.kill("SIGKILL");
    assert.notEqual(await first.ended, 0);
    assert.match(first.output(), /RPC_CONNECTION_LOST/);
    await until(() => cluster.taskManagers.every((taskManager) => taskManager.output().includes("stopping all slots")));
    await cluster.startJobManager();
    const second = await cluster.run("run", "-q", "-m", cluster.address, "-p", "2", job("word-count.ts"));
    assert.equal(second.code, 0, second.output);
  } finally {
    await cluster.stop();
  }
});

test("a TaskManager that finds no JobManager ends with an error", async () => {
  const cluster = await LocalCluster.start(1);
  try {
    const lonely = await cluster.run("taskmanager", "-D", "jobmanager.rpc.port=1", "-D", "taskmanager.registration.timeout=200 ms");
    assert.equal(lonely.code, 1);
    assert.match(lonely.output, /REGISTRATION_TIMEOUT/);
  } finally {
    await cluster.stop();
  }
});
