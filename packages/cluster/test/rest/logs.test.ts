// What REST gives out of log directories: only log files, piece by piece.
import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LogDirectory } from "../../src/inspection/log-directory.js";
import { NodeProcessInspection } from "../../src/inspection/node-process-inspection.js";
import { EmbeddedGateway } from "../../src/rest/gateway/embedded-gateway.js";
import { startRestServer, type RestServer } from "../../src/rest/rest-server.js";
import { http, raw } from "./raw-request.js";

/** A server of a process whose log directory also holds what is none of its logs. */
async function withLogs(run: (server: RestServer, directory: string, gateway: EmbeddedGateway) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-logs-"));
  writeFileSync(join(directory, "jm.log"), "the log\n");
  writeFileSync(join(directory, "jm.out"), "printed\n");
  writeFileSync(join(directory, "secret.txt"), "secret");
  const gateway = new EmbeddedGateway({ version: "0", config: {}, inspection: new NodeProcessInspection({ logs: new LogDirectory(directory, "jm") }) });
  const server = await startRestServer({ gateway, version: "0", log: { write: () => undefined }, ports: [0] });
  try {
    await run(server, directory, gateway);
  } finally {
    await server.close();
    gateway.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

const portOf = (server: RestServer): number => Number(new URL(server.url).port);
const processes = ["/jobmanager", "/taskmanagers/embedded"];

test("log, stdout and files by name", () => withLogs(async (server) => {
  for (const path of processes) {
    const list = JSON.parse((await raw(portOf(server), http("GET", `${path}/logs`))).body) as { logs: { name: string; size: number; mtime: number }[] };
    assert.deepEqual(list.logs.map(({ name, size }) => [name, size]), [["jm.log", 8], ["jm.out", 8]]);
    assert.equal((await raw(portOf(server), http("GET", `${path}/log`))).body, "the log\n");
    assert.equal((await raw(portOf(server), http("GET", `${path}/stdout`))).body, "printed\n");
    const named = await raw(portOf(server), http("GET", `${path}/logs/jm.log`));
    assert.equal(named.body, "the log\n");
    assert.match(named.headers, /content-type: text\/plain; charset=utf-8/);
    assert.match(named.headers, /x-content-type-options: nosniff/);
  }
}));

test("CVE-2020-17519 and its relatives: no path leads out of the logs", () => withLogs(async (server) => {
  const names = ["..%252f..%252f..%252f..%252f..%252f..%252fetc%252fpasswd", "..%2fsecret.txt", "%2e%2e/secret.txt", "..%5csecret.txt", "secret.txt", "jm.log%00", "%2fetc%2fpasswd", ".", "..", "jm.log%2f..%2fsecret.txt"];
  for (const path of processes) {
    for (const name of names) {
      const answer = await raw(portOf(server), http("GET", `${path}/logs/${name}`));
      assert.ok(answer.status === 404 || answer.status === 400, `${name}: ${answer.status}`);
      assert.doesNotMatch(answer.body, /root:|^secret/);
    }
  }
}));

test("a large file is sent whole", () => withLogs(async (server, directory) => {
  const text = "0123456789abcdef".repeat(1_000_000);
  writeFileSync(join(directory, "jm.log"), text);
  const response = await fetch(`${server.url}/jobmanager/log`);
  assert.equal(response.headers.get("content-length"), String(text.length));
  let length = 0;
  for await (const chunk of response.body!) {
    length += chunk.length;
  }
  assert.equal(length, text.length);
  const head = await fetch(`${server.url}/jobmanager/log`, { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), String(text.length));
}));

test("a file that becomes shorter while it is read, or another, breaks the connection instead of passing for whole", () => withLogs(async (server, directory, gateway) => {
  for (const change of [
    (): void => truncateSync(join(directory, "jm.log"), 10),
    (): void => {
      renameSync(join(directory, "jm.log"), join(directory, "jm.log.1"));
      writeFileSync(join(directory, "jm.log"), "y".repeat(1_000_000));
    },
  ]) {
    writeFileSync(join(directory, "jm.log"), "x".repeat(1_000_000));
    const read = gateway.readLog.bind(gateway);
    gateway.readLog = async (taskManagerId, name, offset) => {
      const piece = await read(taskManagerId, name, offset);
      if (offset === 0) change();
      return piece;
    };
    await assert.rejects(fetch(`${server.url}/jobmanager/log`).then((response) => response.text()));
    gateway.readLog = read;
  }
}));
