import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { networkInterfaces } from "node:os";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createNodeEnv } from "@millrace/env-node";
import { makeCertificate } from "@millrace/cluster/certificates";
import { LocalCluster, listeningPorts, until } from "./processes.js";

/* A cluster that other machines could reach: TLS on every internal port, and nothing without a certificate. */
const job = (name: string): string => fileURLToPath(new URL(`../../packages/cli/test/jobs/${name}`, import.meta.url));
/** An address of this machine that is not loopback, if it has one. */
const address = Object.values(networkInterfaces()).flat().find((found) => found?.family === "IPv4" && !found.internal)?.address ?? "127.0.0.2";

/** Below those that a system gives to connections; another run beside this one has others, or they find enough free ones. */
const firstPort = 20_000 + (process.pid % 600) * 20;

let cluster: LocalCluster;
const files = (name: string): Record<string, string> => ({
  "security.ssl.internal.enabled": "true", "security.ssl.internal.ca": join(cluster.directory, "certs/ca.pem"),
  "security.ssl.internal.certificate": join(cluster.directory, `certs/${name}.pem`), "security.ssl.internal.key": join(cluster.directory, `certs/${name}.key`),
});
const variables = (of: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(of).map(([key, value]) => [`MILLRACE_CFG_${key.toUpperCase().replaceAll(/[.-]/g, "_")}`, value]));

before(async () => {
  cluster = await LocalCluster.start(0, undefined, async (starting) => {
    cluster = starting;
    const directory = join(cluster.directory, "certs");
    await makeCertificate({ directory, name: "node", hosts: [], role: "internal" });
    await makeCertificate({ directory, name: "alice", hosts: [], role: "operator" });
    await makeCertificate({ directory, name: "bob", hosts: [] });
    await makeCertificate({ directory: join(cluster.directory, "other"), name: "mallory", hosts: [], role: "internal" });
    return { ...files("node"), "jobmanager.bind-host": address, "jobmanager.rpc.address": address, "taskmanager.bind-host": address, "taskmanager.data.port": `${firstPort}-${firstPort + 19}` };
  });
  await Promise.all([0, 1].map(() => cluster.startTaskManager()));
});

after(() => cluster.stop());

const as = async (name: string | undefined, ...args: readonly string[]): Promise<{ readonly code: number | NodeJS.Signals | null; readonly output: string }> => {
  cluster.environment = name === undefined ? {} : variables(files(name));
  return cluster.run(...args);
};
const at = (): string => `${address}:${cluster.port}`;

test("a job runs on TaskManagers that exchange its records with TLS", async () => {
  const { code, output } = await as("alice", "run", "-m", at(), "-p", "2", job("word-count.ts"));
  assert.equal(code, 0, output);
  for (const line of ["to 2", "be 2", "or 1", "not 1"]) assert.match(output, new RegExp(`\\d> ${line}$`, "m"));
  assert.match(cluster.jobManager.output(), /with TLS/);
});

test("what is not of the cluster is spoken to without its certificates", async () => {
  const server = createServer((socket) => socket.end("one\ntwo\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { code, output } = await as("alice", "run", "-m", at(), fileURLToPath(new URL("jobs/socket-lines.ts", import.meta.url)), "--", "--port", String((server.address() as AddressInfo).port));
    assert.equal(code, 0, output);
    assert.match(output, /heard one\n(.|\n)*heard two/);
  } finally {
    server.close();
  }
});

test("people may do what the role of their certificate allows", async () => {
  const list = await as("bob", "list", "-m", at());
  assert.equal(list.code, 0, list.output);
  const run = await as("bob", "run", "-m", at(), job("word-count.ts"));
  assert.notEqual(run.code, 0);
  assert.match(run.output, /PEER_NOT_ALLOWED/);
});

test("nobody gets in without a certificate of the cluster's CA, and jobs that run do not notice who tries", async () => {
  const { output } = await as("alice", "run", "-d", "-m", at(), "-p", "2", job("counts-for-ever.ts"));
  const jobId = /JobID ([0-9a-f]{32})/.exec(output)![1]!;
  await until(async () => (await as("alice", "list", "-m", at())).output.includes("RUNNING"));
  const plain = await as(undefined, "list", "-m", at());
  assert.notEqual(plain.code, 0);
  assert.match(plain.output, /TLS/);
  const { net } = createNodeEnv();
  const isDataPort = (port: number): boolean => port >= firstPort && port < firstPort + 20;
  const dataPorts = existsSync("/proc/self") ? listeningPorts(cluster.taskManagers[0]!.child.pid!) : [];
  assert.ok(dataPorts.every(isDataPort), dataPorts.join(", "));
  for (const port of [cluster.port, ...dataPorts]) {
    const stranger = await net.connect(address, port);
    const ended = new Promise<void>((resolve) => (stranger.onClose = () => resolve()));
    stranger.onData = () => undefined;
    stranger.write(Buffer.alloc(1 << 16, 0xff));
    await ended;
  }
  await until(() => /a connection from [\d.]+:\d+ was refused: .*TLS/.test(cluster.jobManager.output()));
  if (dataPorts.length > 0) await until(() => cluster.taskManagers.some((taskManager) => /a connection from [\d.]+:\d+ to a slot was refused: .*TLS/.test(taskManager.output())));
  const other = cluster.spawn(["taskmanager", "-D", `jobmanager.rpc.port=${cluster.port}`, "-D", `jobmanager.rpc.address=${address}`, "-D", "taskmanager.registration.timeout=1 s",
    "-D", "security.ssl.internal.enabled=true", ...["ca", "certificate", "key"].flatMap((part) => ["-D", `security.ssl.internal.${part}=${join(cluster.directory, part === "ca" ? "other/ca.pem" : `other/mallory.${part === "key" ? "key" : "pem"}`)}`])]);
  assert.equal(await other.ended, 1, other.output());
  assert.match(other.output(), /another CA/);
  const running = await as("alice", "list", "-m", at());
  assert.match(running.output, /RUNNING/);
  assert.equal((await as("alice", "cancel", "-m", at(), jobId)).code, 0);
});
