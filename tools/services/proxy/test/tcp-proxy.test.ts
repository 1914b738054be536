import assert from "node:assert/strict";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { TcpProxy } from "../tcp-proxy.js";

let server: Server;
let proxy: TcpProxy;
/** Of the server's side, newest last. */
const accepted: Socket[] = [];

before(async () => {
  server = createServer((socket) => void accepted.push(socket.on("error", () => undefined).on("data", (bytes) => socket.write(bytes))));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy = await TcpProxy.listen({ targetPort: (server.address() as { port: number }).port });
});
after(async () => {
  for (const socket of accepted) socket.destroy();
  await proxy.close();
  server.close();
});

/** A client whose words come back. */
async function client() {
  const socket = connect(proxy.port, "127.0.0.1");
  let text = "";
  let changed: () => void = () => undefined;
  const state = { closed: false, error: "" };
  socket.on("data", (bytes) => {
    text += String(bytes);
    changed();
  });
  socket.on("error", (error) => (state.error = (error as NodeJS.ErrnoException).code ?? ""));
  socket.on("close", () => {
    state.closed = true;
    changed();
  });
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise<void>((resolve) => (changed = resolve));
  };
  await new Promise((resolve) => socket.once("connect", resolve));
  return { socket, state, received: () => text, until, hears: (wanted: string) => until(() => text === wanted) };
}

test("it passes on what comes, and the ends of it", async () => {
  const { socket, hears, until, state } = await client();
  socket.write("hello");
  await hears("hello");
  assert.ok(proxy.connections >= 1);
  assert.ok(proxy.bytes >= 10);
  accepted.at(-1)!.end("!");
  await hears("hello!");
  socket.end();
  await until(() => state.closed);
});

for (const direction of ["forward", "backward", "both"] as const) {
  test(`what is held (${direction}) comes when the link is clear again, all of it and in order`, async () => {
    const { socket, received, hears } = await client();
    socket.write("a");
    await hears("a");
    const before = accepted.at(-1)!.bytesRead;
    proxy.hold(direction);
    socket.write("b");
    const other = await client();
    other.socket.write("x");
    // What goes the way that is open arrives.
    if (direction === "backward") while (accepted.length < 2 || accepted.at(-2)!.bytesRead === before) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.equal(received(), "a");
    socket.write("c");
    proxy.clear();
    await hears("abc");
    await other.hears("x");
    socket.destroy();
    other.socket.destroy();
  });
}

test("who is killed behind a held link is not heard of until it is clear", async () => {
  const { socket, hears, until, state } = await client();
  socket.write("a");
  await hears("a");
  proxy.hold("both");
  const other = accepted.at(-1)!;
  const gone = new Promise((resolve) => other.once("close", resolve));
  other.resetAndDestroy();
  await gone;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(state.closed, false);
  proxy.clear();
  await until(() => state.closed);
});

test("a torn connection ends in the middle of what passes, and new ones work", async () => {
  const { socket, hears, until, state, received } = await client();
  socket.write("a");
  await hears("a");
  // Of those before, the end may still be on its way.
  while (proxy.connections > 1) await new Promise((resolve) => setImmediate(resolve));
  // Backward, not at once, after 30 of the bytes, orderly.
  const numbers = [0.9, 0.9, 0.5, 0.9];
  assert.equal(proxy.tear(() => numbers.shift() ?? 0.9), proxy.connections);
  socket.write("b".repeat(500));
  await until(() => state.closed);
  assert.equal(received(), `a${"b".repeat(30)}`);
  const again = await client();
  again.socket.write("c");
  await again.hears("c");
  again.socket.destroy();
});

test("delayed bytes come later, in order", async () => {
  const { socket, hears } = await client();
  proxy.delay(30);
  const startedMs = performance.now();
  socket.write("a");
  socket.write("b");
  await hears("ab");
  assert.ok(performance.now() - startedMs >= 55, "30 ms each way");
  proxy.clear();
  socket.destroy();
});

test("a server that is not there is a reset connection", async () => {
  const nobody = await TcpProxy.listen({ targetPort: 1 });
  const socket = connect(nobody.port, "127.0.0.1");
  const [error] = await new Promise<[NodeJS.ErrnoException]>((resolve) => socket.once("error", (...args) => resolve(args as [NodeJS.ErrnoException])));
  assert.equal(error.code, "ECONNRESET");
  await nobody.close();
});

test("a message that holds a text does not arrive, or its answer does not, or it waits; each once, in the order of the plan", async () => {
  const done: string[] = [];
  proxy.plan({ at: "x", how: "before", skip: 1, then: () => void done.push("before") }, { at: "y", how: "after", then: () => void done.push("after") });
  const first = await client();
  first.socket.write("x1 y");
  await first.hears("x1 y");
  const before = accepted.at(-1)!.bytesRead;
  first.socket.write("x2");
  await first.until(() => first.state.closed);
  assert.deepEqual([accepted.at(-1)!.bytesRead, first.received(), proxy.pending], [before, "x1 y", 1]);
  const second = await client();
  second.socket.write("y");
  await second.until(() => second.state.closed);
  assert.deepEqual([accepted.at(-1)!.bytesRead, second.received(), done, proxy.pending], [1, "", ["before", "after"], 0]);

  let goOn = (): void => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  const reached = new Promise<void>((resolve) => proxy.plan({ at: "z", how: "hold", then: () => (resolve(), held) }));
  const third = await client();
  third.socket.write("a");
  await third.hears("a");
  third.socket.write("z");
  await reached;
  third.socket.write("b");
  assert.equal(third.received(), "a");
  goOn();
  await third.hears("azb");
  third.socket.destroy();
});
