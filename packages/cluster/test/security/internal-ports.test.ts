import assert from "node:assert/strict";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { after, before, test } from "node:test";
import { MillraceError, type Connection, type Env } from "@millrace/core";
import { NodeNet, createNodeEnv, type PeerCredentials } from "@millrace/env-node";
import { SlotSockets } from "@millrace/runtime";
import { connectRpc, FramedConnection, RpcServer, type RpcConnection } from "../../src/index.js";
import { ClusterCertificates } from "./cluster-certificates.js";

/* Strangers at the ports of a cluster that speaks TLS: each is refused with its address in the log, and nobody else notices. Over real connections. */
const cluster = new ClusterCertificates();
const elsewhere = new ClusterCertificates();
let internal: PeerCredentials;
let strangers: Readonly<Record<string, { readonly credentials: Partial<PeerCredentials> & Pick<PeerCredentials, "ca">; readonly why: RegExp }>>;

before(async () => {
  internal = await cluster.make("node-1", { role: "internal" });
  const foreign = await elsewhere.make("node-1", { role: "internal" });
  strangers = {
    "without a certificate": { credentials: { ca: internal.ca }, why: /no certificate of the cluster's CA/ },
    "of another CA": { credentials: { ...foreign, ca: internal.ca }, why: /another CA/ },
    "that has expired": { credentials: await cluster.make("old", { role: "internal", validDays: -0.02 }), why: /expired/ },
  };
});

after(() => {
  cluster.remove();
  elsewhere.remove();
});

interface Port {
  readonly number: number;
  readonly log: string[];
  /** A proper peer is served. */
  works(): Promise<void>;
  /** What is logged of bytes that come where an introduction should. */
  readonly garbage: RegExp;
}

type Cleaner = { after(clean: () => Promise<void>): void };

function envOf(credentials: PeerCredentials | undefined, log: string[], handshakeTimeoutMs?: number): Env {
  return { ...createNodeEnv(), net: new NodeNet(credentials, handshakeTimeoutMs), log: { write: (_, line) => void log.push(line) } };
}

async function rpcPort(t: Cleaner, handshakeTimeoutMs?: number): Promise<Port> {
  const log: string[] = [];
  const env = envOf(internal, log, handshakeTimeoutMs);
  const server = await RpcServer.listen({
    env, host: "127.0.0.1", port: 0, token: "t", heartbeat: { intervalMs: 1000, timeoutMs: 5000 },
    accept: (_, peer) => ({ about: peer?.certificate?.name, welcomed: (connection) => (connection.handler = { request: (_method, body) => body, tell: () => undefined, lost: () => undefined }) }),
  });
  const long: RpcConnection = (await connectRpc({ env, host: "127.0.0.1", port: server.port, role: "client", about: null })).connection;
  t.after(async () => {
    long.close();
    await server.close();
  });
  return {
    number: server.port, log, garbage: /RPC_NOT_MILLRACE/,
    works: async () => {
      assert.deepEqual(await long.request("echo", new Uint8Array([1, 2])), new Uint8Array([1, 2]), "who was connected before");
      const { connection, about } = await connectRpc({ env, host: "127.0.0.1", port: server.port, role: "client", about: null });
      assert.equal(about, "node-1");
      connection.close();
    },
  };
}

async function slotPort(t: Cleaner, handshakeTimeoutMs?: number): Promise<Port> {
  const log: string[] = [];
  const env = envOf(internal, log, handshakeTimeoutMs);
  const refused = (address: string | undefined, why: Error): void => void log.push(`a connection from ${address} was refused: ${why.message}`);
  const [a, b] = await Promise.all([0, 1].map(() => SlotSockets.listen(env, { host: "127.0.0.1", peerUnit: "internal", refused }))) as [SlotSockets, SlotSockets];
  const secret = "0123456789abcdef".repeat(2);
  const lost: Error[] = [];
  a.open({ slotIndex: 0, secret }, (error) => lost.push(error));
  b.open({ slotIndex: 1, secret }, (error) => lost.push(error));
  const to = b.portTo({ kind: "socket", peerSlot: 0, address: { host: "127.0.0.1", port: a.port } });
  const from = a.portTo({ kind: "socket", peerSlot: 1, address: undefined });
  let count = 0;
  t.after(async () => {
    to.close();
    from.close();
    await Promise.all([a.close(), b.close()]);
  });
  return {
    number: a.port, log, garbage: /did not show the secret/,
    works: async () => {
      to.post({ kind: "buffer", number: ++count, buffer: new ArrayBuffer(100_000) });
      for (;;) {
        const message = from.receive() as { readonly number: number } | undefined;
        if (message?.number === count) break;
        if (message === undefined) await new Promise<void>((resolve) => (from.onWake = resolve));
      }
      assert.deepEqual(lost, []);
    },
  };
}

/** Resolves once the other side has closed; what it said before does not matter. */
function closed(connection: Socket): Promise<void> {
  connection.on("error", () => undefined);
  connection.on("data", () => undefined);
  return new Promise((resolve) => connection.on("close", () => resolve()));
}

/** The next line that the port logs. */
async function logged(port: Port): Promise<string> {
  while (port.log.length === 0) await new Promise((resolve) => setImmediate(resolve));
  return port.log.shift()!;
}

const ports = { RPC: rpcPort, data: slotPort };

for (const [name, open] of Object.entries(ports)) {
  test(`${name} port: peers without a valid certificate of the cluster are refused`, async (t) => {
    const port = await open(t);
    for (const [who, { credentials, why }] of Object.entries(strangers)) {
      const { certificate: cert, key, ca } = credentials;
      await closed(connectTls({ host: "127.0.0.1", port: port.number, ca, checkServerIdentity: () => undefined, ...(cert === undefined ? {} : { cert, key }) }));
      const line = await logged(port);
      assert.match(line, why, who);
      assert.match(line, /from 127\.0\.0\.1:\d+ .*refused/, who);
      await port.works();
    }
  });

  test(`${name} port: plain TCP and garbage are refused`, async (t) => {
    const port = await open(t);
    const bytes = { "Millrace without TLS": Buffer.from("MILLRACE\u0001\u0000\u0000\u0000\u0005hello"), HTTP: Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), noise: Buffer.alloc(70_000, 0xa7), zeros: Buffer.alloc(1000) };
    for (const [what, sent] of Object.entries(bytes)) {
      const socket = connectPlain({ host: "127.0.0.1", port: port.number });
      const end = closed(socket);
      socket.write(sent);
      await end;
      assert.match(await logged(port), /from 127\.0\.0\.1:\d+ .*refused: .*(TLS|handshake)/, what);
      await port.works();
    }
  });

  test(`${name} port: garbage and huge frames of a peer with a certificate close its connection only`, async (t) => {
    const port = await open(t);
    const huge = Buffer.concat([Buffer.from("MILLRACE\u0001"), Buffer.from([0x80, 0, 0, 0]), Buffer.alloc(100)]);
    for (const [sent, why] of [[Buffer.alloc(100, 0x41), port.garbage], [huge, name === "RPC" ? /2147483648 bytes.*RPC_FRAME_TOO_LARGE/ : port.garbage]] as const) {
      const connection = await new NodeNet(internal).connect("127.0.0.1", port.number);
      const end = new Promise<void>((resolve) => (connection.onClose = () => resolve()));
      connection.onData = () => undefined;
      connection.write(sent);
      await end;
      const line = await logged(port);
      assert.match(line, why);
      assert.match(line, /127\.0\.0\.1:\d+/);
      await port.works();
    }
  });

  test(`${name} port: handshakes that are not finished end, and others are served meanwhile`, async (t) => {
    // Those that are finished have as long, also on a machine that is busy.
    const port = await open(t, 3000);
    const silent = [0, 1].map(() => connectPlain({ host: "127.0.0.1", port: port.number }));
    const ends = silent.map((socket) => closed(socket));
    // The beginning of a ClientHello, and no more.
    silent[1]!.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    await port.works();
    await Promise.all(ends);
    assert.match(await logged(port), /not finished in time/);
    await port.works();
  });
}

test("a flood of half-open handshakes costs the oldest of them", async (t) => {
  const port = await rpcPort(t);
  const sockets = Array.from({ length: 300 }, () => connectPlain({ host: "127.0.0.1", port: port.number }));
  t.after(async () => sockets.forEach((socket) => socket.destroy()));
  const ended: unknown[] = [];
  for (const socket of sockets) void closed(socket).then(() => ended.push(socket));
  while (ended.length < 300 - 256) await new Promise((resolve) => setImmediate(resolve));
  await port.works();
});

test("certificates of people do not open the data port, and do not pass for a server's", async (t) => {
  const port = await slotPort(t);
  const alice = await cluster.make("alice", { role: "operator" });
  const connection = await new NodeNet(alice).connect("127.0.0.1", port.number);
  connection.onData = () => undefined;
  await new Promise<void>((resolve) => (connection.onClose = () => resolve()));
  assert.match(await logged(port), /"alice" is not a process of the cluster/);
  await port.works();
  const impostor = await new NodeNet(alice).listen("127.0.0.1", 0, (accepted: Connection) => accepted.close());
  t.after(() => impostor.close());
  await assert.rejects(new NodeNet(internal).connect("127.0.0.1", impostor.port), (error: MillraceError) => error.code === "TLS_HANDSHAKE_FAILED" && /"alice"/.test(error.message));
});

test("who speaks TLS to a port without it, or the other way round, is told", async (t) => {
  const log: string[] = [];
  const plain = envOf(undefined, log);
  const server = await RpcServer.listen({ env: plain, host: "127.0.0.1", port: 0, token: "t", heartbeat: { intervalMs: 1000, timeoutMs: 5000 }, accept: () => assert.fail("nobody introduces himself") });
  t.after(() => server.close());
  await assert.rejects(connectRpc({ env: envOf(internal, log), host: "127.0.0.1", port: server.port, role: "client", about: null }), { code: "TLS_HANDSHAKE_FAILED" });
  const hello = connectPlain({ host: "127.0.0.1", port: server.port });
  const end = closed(hello);
  hello.write(Buffer.from([0x16, 0x03, 0x01]));
  await end;
  assert.match(log[0]!, /127\.0\.0\.1:\d+ was closed: the other side speaks TLS and this one does not/);
  const secure = await rpcPort(t);
  await assert.rejects(connectRpc({ env: plain, host: "127.0.0.1", port: secure.number, role: "client", about: null }), (error: MillraceError) => /TLS/.test(`${error.message} ${error.hint}`));
  await secure.works();
});

test("a flood of refusals is counted rather than written out", async () => {
  const { RefusalLog } = await import("../../src/rpc/refusal-log.js");
  let now = 0;
  const lines: string[] = [];
  const refusals = new RefusalLog({ clock: { monotonicMs: () => now }, log: { write: (_, line) => void lines.push(line) } });
  for (let i = 0; i < 50; i++) refusals.write("h:1", "was refused", new Error("no"));
  assert.equal(lines.length, 20);
  now = 10_000;
  refusals.write(undefined, "was refused", new MillraceError({ code: "X_Y", message: "no" }));
  assert.deepEqual(lines.slice(20), ["30 more connections were refused", "a connection was refused: no [X_Y]"]);
});

test("frames of a connection know their peer", async (t) => {
  const net = new NodeNet(internal);
  const peers: unknown[] = [];
  const listener = await net.listen("127.0.0.1", 0, (connection) => void peers.push(new FramedConnection(connection, 100).peer?.certificate));
  t.after(() => listener.close());
  const connection = await net.connect("127.0.0.1", listener.port);
  while (peers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(peers, [{ name: "node-1", unit: "internal" }]);
  connection.close();
});
