import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MessageChannel, Worker } from "node:worker_threads";
import { isMillraceError, type Connection } from "@millrace/core";
import { createNodeEnv, nodeMessagePort } from "../src/index.js";

const env = createNodeEnv();
const turn = (): Promise<void> => new Promise((resolve) => env.clock.yieldThen(resolve));

test("timers never fire early, and can be taken back", async () => {
  for (const delayMs of [0, 0.4, 1, 7.7]) {
    const start = env.clock.monotonicMs();
    await new Promise<void>((resolve) => env.clock.setTimer(delayMs, resolve));
    assert.ok(env.clock.monotonicMs() - start >= delayMs);
  }
  let fired = false;
  const timer = env.clock.setTimer(0, () => {
    fired = true;
  });
  const long = env.clock.setTimer(2 ** 40, () => {
    fired = true;
  });
  timer.cancel();
  timer.cancel();
  await new Promise<void>((resolve) => env.clock.setTimer(5, resolve));
  long.cancel();
  assert.ok(!fired);
  assert.ok(Number.isInteger(env.clock.nowMs()));
  const random = env.rng.next();
  assert.ok(random >= 0 && random < 1);
});

test("a message port keeps order between polling and waking, and wakes once", async () => {
  const { port1, port2 } = new MessageChannel();
  const a = nodeMessagePort(port1);
  const b = nodeMessagePort(port2);
  const woken: number[] = [];
  b.onWake = () => woken.push(1);
  for (let i = 0; i < 5; i++) a.post(i);
  assert.equal(b.receive(), 0);
  assert.equal(woken.length, 0);
  while (woken.length === 0) await turn();
  a.post(5);
  await turn();
  assert.equal(woken.length, 1);
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(() => b.receive()), [1, 2, 3, 4, 5, undefined]);
  a.post("again");
  while (woken.length === 1) await turn();
  assert.equal(b.receive(), "again");
  const buffer = new ArrayBuffer(8);
  a.post({ buffer }, [buffer]);
  assert.equal(buffer.byteLength, 0);
  assert.ok((b.receive() as { buffer: ArrayBuffer }).buffer.byteLength === 8);
  a.close();
  b.close();
});

test("messages get through to a thread that is busy but yields", async () => {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
     let got = 0;
     parentPort.on("message", () => { got++; });
     (function spin() { if (got === 3) { parentPort.postMessage("done"); parentPort.close(); } else setImmediate(spin); })();`,
    { eval: true },
  );
  const done = new Promise((resolve) => worker.on("message", resolve));
  for (let i = 0; i < 3; i++) worker.postMessage(i);
  assert.equal(await done, "done");
  await worker.terminate();
});

function collect(connection: Connection): { readonly closed: Promise<Error | undefined>; size(): number; text(): string } {
  const chunks: Buffer[] = [];
  connection.onData = (data) => chunks.push(Buffer.from(data));
  const closed = new Promise<Error | undefined>((resolve) => {
    connection.onClose = resolve;
  });
  return { closed, size: () => chunks.reduce((sum, chunk) => sum + chunk.length, 0), text: () => Buffer.concat(chunks).toString() };
}

test("connections carry bytes both ways, and lose nothing before somebody listens", async () => {
  const accepted: Connection[] = [];
  let arrived = (): void => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const listener = await env.net.listen("127.0.0.1", 0, (connection) => {
    accepted.push(connection);
    arrived();
  });
  const client = await env.net.connect("127.0.0.1", listener.port);
  client.write(Buffer.from("hello"));
  await arrival;
  for (let i = 0; i < 20; i++) await turn();
  const server = accepted[0]!;
  const atServer = collect(server);
  const atClient = collect(client);
  while (atServer.size() < 5) await turn();
  server.write(Buffer.from("welcome"));
  server.close();
  assert.equal(await atClient.closed, undefined);
  assert.equal(await atServer.closed, undefined);
  assert.equal(atClient.text(), "welcome");
  assert.equal(atServer.text(), "hello");
  await assert.rejects(client.drained(), (error) => isMillraceError(error) && error.code === "CONNECTION_CLOSED");
  assert.equal(client.write(Buffer.from("late")), false);
  await listener.close();
});

test("a paused reader holds its writer back", async () => {
  let server: Connection | undefined;
  let accepted = (): void => {};
  const arrival = new Promise<void>((resolve) => {
    accepted = resolve;
  });
  const listener = await env.net.listen("127.0.0.1", 0, (connection) => {
    server = connection;
    accepted();
  });
  const client = await env.net.connect("127.0.0.1", listener.port);
  await arrival;
  const atServer = collect(server!);
  server!.pause();
  const chunk = new Uint8Array(1 << 20);
  let sent = 0;
  let room = true;
  while (room && sent < 256) {
    room = client.write(chunk);
    sent++;
  }
  assert.ok(!room, "nothing held the writer back");
  server!.resume();
  await client.drained();
  client.close();
  await atServer.closed;
  assert.equal(atServer.size(), sent * chunk.length);
  await listener.close();
});

test("failures to connect and to listen are named", async () => {
  const listener = await env.net.listen("127.0.0.1", 0, () => {});
  await assert.rejects(env.net.listen("127.0.0.1", listener.port, () => {}), (error) => isMillraceError(error) && error.code === "ADDRESS_IN_USE");
  await listener.close();
  await assert.rejects(env.net.connect("127.0.0.1", listener.port),
    (error) => isMillraceError(error) && error.code === "CONNECTION_FAILED" && error.recovery === "retry" && error.message.includes(String(listener.port)));
});

test("a Unix domain socket is a host like any other", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-net-"));
  const host = `unix:${join(directory, "socket")}`;
  t.after(() => rmSync(directory, { recursive: true }));
  let arrived!: (connection: Connection) => void;
  const arrival = new Promise<Connection>((resolve) => (arrived = resolve));
  const listener = await env.net.listen(host, 0, arrived);
  const [client, server] = [await env.net.connect(host, 0), await arrival];
  assert.deepEqual([listener.port, server.peer], [0, { address: "this machine" }]);
  const got = collect(server);
  client.write(new Uint8Array(100_000));
  client.close();
  await got.closed;
  assert.equal(got.size(), 100_000);
  await listener.close();
  await assert.rejects(env.net.connect(host, 0), (error) => isMillraceError(error) && error.code === "CONNECTION_FAILED" && error.message.includes(host));
});
