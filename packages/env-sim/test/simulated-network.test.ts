import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "@millrace/core";
import type { SimulatedProcess } from "../src/index.js";
import { emptyWorld, settle } from "./world.js";

async function connected(seed: number): Promise<{ world: ReturnType<typeof emptyWorld>; client: Connection; server: Connection; server_: SimulatedProcess; received: string[]; closed: unknown[] }> {
  const world = emptyWorld(seed);
  const serverProcess = world.process("server");
  const received: string[] = [];
  const closed: unknown[] = [];
  let server: Connection | undefined;
  await settle(world.simulation, serverProcess.env.net.listen("0.0.0.0", 80, (connection) => {
    server = connection;
    connection.onData = (bytes) => received.push(new TextDecoder().decode(bytes));
    connection.onClose = (error) => closed.push(error?.message);
  }));
  const client = await settle(world.simulation, world.process("client").env.net.connect("server", 80));
  return { world, client, server: server!, server_: serverProcess, received, closed };
}
const send = (connection: Connection, text: string): boolean => connection.write(new TextEncoder().encode(text));

test("bytes arrive in order, and the end after them", async () => {
  const { world, client, received, closed } = await connected(1);
  for (let i = 0; i < 20; i++) send(client, `${i} `);
  client.close();
  await world.simulation.run(() => closed.length > 0, 1000);
  assert.equal(received.join(""), Array.from({ length: 20 }, (_, i) => `${i} `).join(""));
  assert.deepEqual(closed, [undefined]);
});

test("a link that is cut one way holds back what goes that way until it is mended", async () => {
  const { world, client, server, received } = await connected(2);
  const back: string[] = [];
  client.onData = (bytes) => back.push(new TextDecoder().decode(bytes));
  world.network.cut("client", "server");
  send(client, "there");
  send(server, "back");
  await world.simulation.run(() => false, 1000);
  assert.deepEqual([received, back], [[], ["back"]]);
  world.network.mend("client", "server");
  await world.simulation.run(() => false, 1000);
  assert.deepEqual(received, ["there"]);
});

test("a killed process closes its connections, a host without power is silent until it is back", async () => {
  const killed = await connected(3);
  let ended: unknown = "open";
  killed.client.onData = () => undefined;
  killed.client.onClose = (error) => (ended = error);
  killed.server_.kill("killed");
  await killed.world.simulation.run(() => false, 1000);
  assert.equal(ended, undefined);

  const dark = await connected(4);
  const ends: (string | undefined)[] = [];
  dark.client.onClose = (reason) => ends.push(reason?.message);
  dark.server_.kill("power loss");
  dark.world.network.setUp("server", false);
  send(dark.client, "anybody?");
  await dark.world.simulation.run(() => false, 5000);
  assert.deepEqual(ends, []);
  dark.world.network.setUp("server", true);
  await dark.world.simulation.run(() => false, 5000);
  assert.deepEqual(ends, ["ECONNRESET"]);
});

test("a writer is told to wait, and when it may go on", async () => {
  const { world, client, server } = await connected(5);
  server.pause();
  assert.equal(client.write(new Uint8Array(10)), true);
  assert.equal(client.write(new Uint8Array(100_000)), false);
  let drained = false;
  void client.drained().then(() => (drained = true));
  await world.simulation.run(() => false, 1000);
  assert.equal(drained, false);
  server.resume();
  await world.simulation.run(() => drained, 1000);
  assert.equal(drained, true);
});

test("nobody listens: refused at once, or after a while when the host cannot be reached", async () => {
  const world = emptyWorld(6);
  const { net } = world.process("client").env;
  await assert.rejects(settle(world.simulation, net.connect("server", 80)), /ECONNREFUSED/);
  world.network.cut("server", "client");
  await assert.rejects(settle(world.simulation, net.connect("server", 80)), /ETIMEDOUT/);
});

test("a paused process gets everything in order once it is resumed", async () => {
  const { world, client, server_, received } = await connected(7);
  server_.pause();
  for (let i = 0; i < 5; i++) send(client, String(i));
  await world.simulation.run(() => false, 1000);
  assert.deepEqual(received, []);
  server_.resume();
  await world.simulation.run(() => false, 1000);
  assert.deepEqual(received, ["0", "1", "2", "3", "4"]);
});
