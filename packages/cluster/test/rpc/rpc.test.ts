import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { MillraceError, encodeValue, type Connection, type Env } from "@millrace/core";
import { createNodeEnv } from "@millrace/env-node";
import { FramedConnection, MAX_FRAME_BYTES, MILLRACE_VERSION, RPC_PROTOCOL_VERSION, RpcConnection, RpcServer, checkMillraceVersion, connectRpc, type RpcHandler, type RpcServerOptions } from "../../src/index.js";

/* Over real TCP connections. */
const heartbeat = { intervalMs: 1000, timeoutMs: 5000 };
const hello = { role: "client", about: undefined } as const;

interface Served {
  readonly server: RpcServer;
  readonly env: Env;
  readonly logged: string[];
  /** Connections in the order they were welcomed. */
  readonly welcomed: RpcConnection[];
}

async function serve(t: { after(close: () => Promise<void>): void }, handler: Partial<RpcHandler> = {}, options: Partial<RpcServerOptions> = {}): Promise<Served> {
  const logged: string[] = [];
  const env: Env = { ...createNodeEnv(), log: { write: (_, line) => void logged.push(line) } };
  const welcomed: RpcConnection[] = [];
  const server = await RpcServer.listen({
    env, host: "127.0.0.1", port: 0, heartbeat, token: "leader 1",
    accept: () => ({
      about: { welcome: true },
      welcomed: (connection) => {
        welcomed.push(connection);
        connection.handler = { request: () => undefined, tell: () => undefined, lost: () => undefined, ...handler };
      },
    }),
    ...options,
  });
  t.after(() => server.close());
  return { server, env, logged, welcomed };
}

function connect({ server, env }: Served): ReturnType<typeof connectRpc> {
  return connectRpc({ env, host: "127.0.0.1", port: server.port, ...hello });
}

/** Resolves with the first thing the server logs, after sending these bytes to it; and checks that others are served as before. */
async function sendRaw(served: Served, bytes: Uint8Array): Promise<string> {
  const raw = await served.env.net.connect("127.0.0.1", served.server.port);
  const closed = closing(raw);
  raw.write(bytes);
  await closed;
  const { connection } = await connect(served);
  assert.equal(await connection.request("anything", null), undefined);
  connection.close();
  return served.logged[0]!;
}

function closing(connection: Connection): Promise<void> {
  connection.onData = () => undefined;
  return new Promise((resolve) => {
    connection.onClose = () => resolve();
  });
}

function preamble(version: number = RPC_PROTOCOL_VERSION): number[] {
  return [...Buffer.from("MILLRACE"), version];
}

function framed(body: Uint8Array): number[] {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return [...header, ...body];
}

test("requests are answered, errors come back with code and cause, tells arrive in order", async (t) => {
  const told: unknown[] = [];
  const served = await serve(t, {
    request: (method, body) => {
      if (method === "fail") throw new MillraceError({ code: "SOME_CODE", message: "no", hint: "try", cause: new Error("why") });
      return { method, body };
    },
    tell: (method, body) => void told.push([method, body]),
  });
  const { connection, about } = await connect(served);
  assert.deepEqual(about, { welcome: true });
  const body = { buffer: new Uint8Array([1, 2]).buffer, missing: undefined, map: new Map([[1, -0]]), big: 2n ** 70n };
  for (let i = 0; i < 100; i++) connection.tell("count", i);
  assert.deepEqual(await connection.request("echo", body), { method: "echo", body });
  assert.deepEqual(told, Array.from({ length: 100 }, (_, i) => ["count", i]));
  await assert.rejects(connection.request("fail", null), (error: MillraceError) => error.code === "SOME_CODE" && error.hint === "try" && (error.cause as Error).message === "why");
  await assert.rejects(connection.request("echo", () => 1), { code: "RECORD_NOT_ENCODABLE" });
  connection.close();
});

test("the server asks, too; what it says before there is a handler waits", async (t) => {
  const served = await serve(t);
  const { connection } = await connect(served);
  const [peer] = served.welcomed;
  const answer = peer!.request("question", 6);
  peer!.tell("told", 7);
  const other = connection.request("anything", null);
  await other;
  const seen: unknown[] = [];
  connection.handler = { request: (_, body) => Number(body) * 7, tell: (_, body) => void seen.push(body), lost: () => undefined };
  assert.equal(await answer, 42);
  assert.deepEqual(seen, [7]);
  connection.close();
});

test("a message with another fencing token has no effect and is answered by an error", async (t) => {
  const effects: string[] = [];
  const served = await serve(t, { request: (method) => void effects.push(method), tell: (method) => void effects.push(method) });
  const frames = new FramedConnection(await served.env.net.connect("127.0.0.1", served.server.port), MAX_FRAME_BYTES);
  await new Promise<void>((resolve) => {
    frames.onFrame = () => resolve();
    frames.send(encodeValue({ ...hello, version: MILLRACE_VERSION }));
  });
  const stale = new RpcConnection(frames, served.env.clock, "leader 0", heartbeat);
  const refused = new Promise<{ method: string; error: Error }>((resolve) => {
    stale.handler = { request: () => undefined, tell: () => undefined, lost: () => undefined, refused: (method, error) => resolve({ method, error }) };
  });
  await assert.rejects(stale.request("submit", null), { code: "RPC_FENCING_TOKEN" });
  stale.tell("deploy", null);
  const { method, error } = await refused;
  assert.equal(method, "deploy");
  assert.equal((error as MillraceError).code, "RPC_FENCING_TOKEN");
  assert.deepEqual(effects, []);
  stale.close();
});

test("a handler that throws harms nothing: the sender is told", async (t) => {
  const served = await serve(t, {
    tell: (_, body) => void (body as { a: { b: number } }).a.b,
    request: () => "fine",
  });
  const { connection } = await connect(served);
  const refused = new Promise<string>((resolve) => {
    connection.handler = { request: () => undefined, tell: () => undefined, lost: () => undefined, refused: (method) => resolve(method) };
  });
  connection.tell("malformed", null);
  assert.equal(await refused, "malformed");
  assert.equal(await connection.request("next", null), "fine");
  connection.close();
});

test("a broken connection is told at once, and rejects what waits", async (t) => {
  const lost: string[] = [];
  const served = await serve(t, { request: () => new Promise(() => undefined), lost: (error) => void lost.push(error.code) });
  const { connection } = await connect(served);
  const heard = new Promise<string>((resolve) => {
    connection.handler = { request: () => undefined, tell: () => undefined, lost: (error) => resolve(error.code) };
  });
  const waiting = connection.request("for ever", null);
  served.welcomed[0]!.close();
  await assert.rejects(waiting, { code: "RPC_CONNECTION_LOST" });
  assert.equal(await heard, "RPC_CONNECTION_LOST");
  assert.deepEqual(lost, [], "who closes a connection is not told that it is lost");
  await assert.rejects(connection.request("again", null), { code: "RPC_CONNECTION_LOST" });
});

test("who takes the port of the REST API for the JobManager's is told so", async (t) => {
  const http = createServer().listen(0, "127.0.0.1");
  t.after(() => void http.close());
  await once(http, "listening");
  const wrong = connectRpc({ env: createNodeEnv(), host: "127.0.0.1", port: (http.address() as AddressInfo).port, ...hello });
  await assert.rejects(wrong, { code: "RPC_NOT_MILLRACE", message: /a server of HTTP answers/, hint: /jobmanager\.rpc\.port/ });
});

test("a side that says nothing any more is lost after the heartbeat time-out", async (t) => {
  let lost!: (code: string) => void;
  const silent = new Promise<string>((resolve) => (lost = resolve));
  const served = await serve(t, { lost: (error) => lost(error.code) }, { heartbeat: { intervalMs: 10, timeoutMs: 50 } });
  const raw = new FramedConnection(await served.env.net.connect("127.0.0.1", served.server.port), MAX_FRAME_BYTES);
  raw.send(encodeValue({ ...hello, version: MILLRACE_VERSION }));
  assert.equal(await silent, "RPC_HEARTBEAT_TIMEOUT");
  raw.close();
});

const bad: Readonly<Record<string, readonly [bytes: number[], code: string]>> = {
  "a browser": [[...Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")], "RPC_NOT_MILLRACE"],
  "noise": [Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256), "RPC_NOT_MILLRACE"],
  "another protocol version": [preamble(RPC_PROTOCOL_VERSION + 2), "RPC_PROTOCOL_VERSION"],
  "a frame of 2 GiB": [[...preamble(), 0x80, 0, 0, 0, 1, 2, 3], "RPC_FRAME_TOO_LARGE"],
  "an introduction that is no value": [[...preamble(), ...framed(Uint8Array.of(255, 254, 253))], "RPC_HANDSHAKE"],
  "an introduction of another kind": [[...preamble(), ...framed(encodeValue({ role: "admin", version: MILLRACE_VERSION }))], "RPC_HANDSHAKE"],
  "an older protocol version than the one before": [preamble(RPC_PROTOCOL_VERSION - 2), "RPC_PROTOCOL_VERSION"],
  "a version that is none": [[...preamble(), ...framed(encodeValue({ ...hello, version: "latest" }))], "RPC_MILLRACE_VERSION"],
  "another version of Millrace": [[...preamble(), ...framed(encodeValue({ ...hello, version: "9.3.1" }))], "RPC_MILLRACE_VERSION"],
  "a malformed message": [[...preamble(), ...framed(encodeValue({ ...hello, version: MILLRACE_VERSION })), ...framed(encodeValue({ kind: "request", id: "x" }))], "RPC_MESSAGE_MALFORMED"],
};
for (const [name, [bytes, code]] of Object.entries(bad)) {
  test(`${name} closes the connection with ${code}, and harms nobody`, async (t) => {
    const served = await serve(t);
    assert.match(await sendRaw(served, Uint8Array.from(bytes)), new RegExp(code));
  });
}

test("neighbouring protocol versions speak the lower of the two, others refuse each other", async (t) => {
  const served = await serve(t);
  for (const [theirs, spoken] of [[RPC_PROTOCOL_VERSION - 1, RPC_PROTOCOL_VERSION - 1], [RPC_PROTOCOL_VERSION, RPC_PROTOCOL_VERSION], [RPC_PROTOCOL_VERSION + 1, RPC_PROTOCOL_VERSION]] as const) {
    const frames = new FramedConnection(await served.env.net.connect("127.0.0.1", served.server.port), MAX_FRAME_BYTES, theirs);
    await new Promise<void>((resolve) => {
      frames.onFrame = () => resolve();
      frames.send(encodeValue({ ...hello, version: MILLRACE_VERSION }));
    });
    assert.equal(frames.protocolVersion, spoken);
    frames.close();
  }
  const far = new FramedConnection(await served.env.net.connect("127.0.0.1", served.server.port), MAX_FRAME_BYTES, RPC_PROTOCOL_VERSION + 2);
  const error = await new Promise<MillraceError | undefined>((resolve) => (far.onClose = resolve));
  assert.equal(error?.code, "RPC_PROTOCOL_VERSION");
  assert.match(error.message, new RegExp(`speaks version ${RPC_PROTOCOL_VERSION} of the protocol, this one version ${RPC_PROTOCOL_VERSION + 2}`));
});

test("neighbouring releases of one major version work together", () => {
  for (const [own, other] of [["0.2.0", "0.1.9"], ["0.2.0", "0.2.7"], ["0.2.0", "0.3.0"], ["1.0.0", "1.1.0"]] as const) checkMillraceVersion(other, "the other", own);
  for (const [own, other] of [["0.2.0", "0.4.0"], ["0.3.0", "0.1.0"], ["1.0.0", "0.9.0"], ["1.0.0", "2.0.0"], ["1.0.0", "1.x"]] as const) {
    assert.throws(() => checkMillraceVersion(other, "the other", own), { code: "RPC_MILLRACE_VERSION", message: `the other runs Millrace ${other}, this side ${own}` });
  }
});

test("patch versions work together; a client is told why it is refused", async (t) => {
  const served = await serve(t);
  const refused = await serve(t, {}, {
    accept: () => {
      throw new MillraceError({ code: "TASK_MANAGER_INVALID", message: "not you" });
    },
  });
  const patch = new FramedConnection(await served.env.net.connect("127.0.0.1", served.server.port), MAX_FRAME_BYTES);
  await new Promise<void>((resolve) => {
    patch.onFrame = () => resolve();
    patch.send(encodeValue({ ...hello, version: MILLRACE_VERSION.replace(/\d+$/, "99") }));
  });
  patch.close();
  await assert.rejects(connect(refused), { code: "TASK_MANAGER_INVALID", message: "not you" });
});

test("a frame beyond the limit is not sent", async (t) => {
  const served = await serve(t);
  const { connection } = await connect(served);
  await assert.rejects(connection.request("big", new Uint8Array(MAX_FRAME_BYTES)), { code: "RPC_FRAME_TOO_LARGE" });
  assert.equal(await connection.request("small", null), undefined);
  connection.close();
});
