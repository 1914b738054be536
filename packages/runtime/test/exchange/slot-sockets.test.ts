import assert from "node:assert/strict";
import { test } from "node:test";
import { BufferPool, type Connection, type MessagePortLike, type MillraceError, type Net } from "@millrace/core";
import { createNodeEnv } from "@millrace/env-node";
import { SlotSockets } from "../../src/index.js";
import { TestClock } from "../support/test-clock.js";

/* Over real TCP connections. */
const env = createNodeEnv();
const secret = "0123456789abcdef0123456789abcdef";

interface Pair {
  readonly a: SlotSockets;
  readonly b: SlotSockets;
  readonly lost: MillraceError[];
}

async function pair(t: { after(close: () => Promise<void>): void }, secretOfB: string = secret): Promise<Pair> {
  const lost: MillraceError[] = [];
  const [a, b] = await Promise.all([SlotSockets.listen(env, { host: "127.0.0.1" }), SlotSockets.listen(env, { host: "127.0.0.1" })]);
  a.open({ slotIndex: 0, secret }, (error) => lost.push(error));
  b.open({ slotIndex: 1, secret: secretOfB }, (error) => lost.push(error));
  t.after(async () => {
    await Promise.all([a.close(), b.close()]);
  });
  return { a, b, lost };
}

const toB = ({ b }: Pair) => ({ kind: "socket", peerSlot: 1, address: { host: "127.0.0.1", port: b.port } }) as const;
const fromA = { kind: "socket", peerSlot: 0, address: undefined } as const;

/** The next message, whenever it comes. */
async function next(port: MessagePortLike): Promise<unknown> {
  for (;;) {
    const message = port.receive();
    if (message !== undefined) return message;
    await new Promise<void>((resolve) => {
      port.onWake = resolve;
    });
  }
}

test("messages and buffers of every size arrive whole and in order, both ways", async (t) => {
  const slots = await pair(t);
  const atA = slots.a.portTo(toB(slots));
  const atB = slots.b.portTo(fromA);
  const sizes = [0, 1, 4095, 4096, 4097, 70_000, 3_000_000, 5];
  sizes.forEach((size, channel) => {
    const buffer = Uint8Array.from({ length: size }, (_, i) => (i * 31 + channel) % 256).buffer;
    atA.post({ kind: "buffer", channel, buffer, backlog: 2 }, [buffer]);
    atA.post({ kind: "barrier", channel, checkpointId: 7, timestampMs: 1e12 });
  });
  atB.post({ kind: "credits", credits: [1, 2, 3, 4] });
  for (const [channel, size] of sizes.entries()) {
    const { buffer, ...rest } = (await next(atB)) as { buffer: ArrayBuffer };
    assert.deepEqual(rest, { kind: "buffer", channel, backlog: 2 });
    assert.ok(Buffer.from(buffer).equals(Uint8Array.from({ length: size }, (_, i) => (i * 31 + channel) % 256)), `buffer of ${size} bytes`);
    assert.deepEqual(await next(atB), { kind: "barrier", channel, checkpointId: 7, timestampMs: 1e12 });
  }
  assert.deepEqual(await next(atA), { kind: "credits", credits: [1, 2, 3, 4] });
  atA.close();
  atB.close();
  assert.deepEqual(slots.lost, []);
});

test("a peer may come before its port is asked for, and before the slot belongs to a job", async (t) => {
  const late = await SlotSockets.listen(env, { host: "127.0.0.1" });
  const slots = await pair(t);
  const atA = slots.a.portTo({ kind: "socket", peerSlot: 5, address: { host: "127.0.0.1", port: late.port } });
  atA.post({ kind: "end", channel: 1 });
  // The connection is made and the first bytes are sent.
  await new Promise<void>((resolve) => env.clock.setTimer(50, resolve));
  late.open({ slotIndex: 5, secret }, () => undefined);
  const atLate = late.portTo(fromA);
  assert.deepEqual(await next(atLate), { kind: "end", channel: 1 });
  atA.close();
  atLate.close();
  await late.close();
});

function closed(connection: Connection): Promise<void> {
  return new Promise((resolve) => {
    connection.onClose = () => resolve();
    connection.onData = () => undefined;
  });
}

test("nobody gets in without the secret of the epoch", async (t) => {
  const slots = await pair(t, "f".repeat(32));
  const lost = new Promise<void>((resolve) => slots.a.open({ slotIndex: 0, secret }, (error) => {
    assert.equal(error.code, "PEER_CONNECTION_LOST");
    resolve();
  }));
  slots.a.portTo(toB(slots)).post({ kind: "end", channel: 1 });
  await lost;
  for (const bytes of [Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(4)), Buffer.alloc(100), Buffer.from(`MLSL\u0001${secret}00000000`)]) {
    const raw = await env.net.connect("127.0.0.1", slots.b.port);
    const end = closed(raw);
    raw.write(bytes);
    await end;
  }
});

test("a peer that goes away is reported once, with why", async (t) => {
  const slots = await pair(t);
  const heard = new Promise<MillraceError>((resolve) => slots.b.open({ slotIndex: 1, secret }, resolve));
  const atB = slots.b.portTo(fromA);
  const atA = slots.a.portTo(toB(slots));
  atA.post({ kind: "end", channel: 1 });
  assert.deepEqual(await next(atB), { kind: "end", channel: 1 });
  atA.close();
  const error = await heard;
  assert.equal(error.code, "PEER_CONNECTION_LOST");
  assert.equal(error.recovery, "restart");
  atB.post({ kind: "end", channel: 2 });
  assert.deepEqual(slots.lost, []);
});

test("a peer that cannot be reached is a lost one", async (t) => {
  const slots = await pair(t);
  const heard = new Promise<MillraceError>((resolve) => slots.a.open({ slotIndex: 0, secret }, resolve));
  await slots.b.close();
  slots.a.portTo(toB(slots));
  assert.equal((await heard).code, "PEER_CONNECTION_LOST");
});

test("strangers are closed when their time is over, and the oldest of too many at once", async () => {
  const clock = new TestClock();
  let accept!: (connection: Connection) => void;
  const net: Net = {
    connect: () => Promise.reject(new Error("nobody is there")),
    listen: async (_host, _port, accepted) => {
      accept = accepted;
      return { port: 1, close: async () => undefined };
    },
  };
  const refused: string[] = [];
  const slot = await SlotSockets.listen({ clock, net }, { host: "h", refused: (address, why) => void refused.push(`${address}: ${why.message}`) });
  const closedOnes: number[] = [];
  const stranger = (number: number): void => accept({
    peer: { address: `h:${number}` }, onData: undefined, onClose: undefined, write: () => true, drained: async () => undefined, pause: () => undefined, resume: () => undefined,
    close: () => void closedOnes.push(number),
  });
  for (let i = 0; i < 1025; i++) stranger(i);
  assert.deepEqual(closedOnes, [0], "of those that came before the slot has a job");
  const arrivedMs = clock.nowMs();
  await clock.runUntil(() => closedOnes.length === 1025);
  assert.equal(clock.nowMs() - arrivedMs, 60_000);
  slot.open({ slotIndex: 0, secret }, () => undefined);
  for (let i = 2000; i < 3025; i++) stranger(i);
  assert.equal(closedOnes.at(-1), 2000, "of those that a job waits for");
  await clock.runUntil(() => closedOnes.length === 2050);
  assert.equal(clock.nowMs() - arrivedMs, 70_000);
  assert.match(refused[0]!, /^h:0: 1024 others/);
  assert.match(refused.at(-1)!, /in time/);
});

test("a buffer that was sent can be filled again, and what arrives comes in buffers of the pool", async (t) => {
  const slots = await pair(t);
  const atA = slots.a.portTo(toB(slots));
  const atB = slots.b.portTo(fromA);
  [atA.buffers, atB.buffers] = [new BufferPool(), new BufferPool()];
  const kept = new ArrayBuffer(40_960);
  atB.buffers.give(kept);
  const buffer = new Uint8Array(40_960).fill(7).buffer;
  atA.post({ kind: "buffer", channel: 1, buffer, backlog: 0 }, [buffer]);
  const received = (await next(atB)) as { readonly buffer: ArrayBuffer };
  assert.equal(received.buffer, kept);
  assert.ok(new Uint8Array(kept).every((byte) => byte === 7));
  atB.post({ kind: "credits", credits: [1, 1] });
  await next(atA);
  assert.equal(atA.buffers.take(40_960), buffer);
  atA.close();
  atB.close();
});
