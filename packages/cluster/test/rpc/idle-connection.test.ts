import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedDisk, SimulatedNetwork, SimulatedProcess, Simulation } from "@millrace/env-sim";
import { RpcServer, connectRpc, type RpcConnection } from "../../src/index.js";

/* In virtual time: what lives and what dies is a matter of minutes here. */
const HOUR_MS = 3_600_000;
const heartbeat = { intervalMs: 10_000, timeoutMs: 50_000 };

interface Connected {
  readonly simulation: Simulation;
  readonly client: RpcConnection;
  readonly server: SimulatedProcess;
  /** What an end said of its loss. */
  readonly lost: string[];
}

async function connected(): Promise<Connected> {
  const simulation = new Simulation({ seed: 1 });
  const world = { simulation, network: new SimulatedNetwork(simulation), disk: new SimulatedDisk(simulation) };
  const [server, client] = ["server", "client"].map((name) => new SimulatedProcess(world, name, name)) as [SimulatedProcess, SimulatedProcess];
  const lost: string[] = [];
  const handler = (end: string) => ({ request: () => "here", tell: () => undefined, lost: (error: { readonly code: string }) => void lost.push(`${end}: ${error.code}`) });
  const port = 6123;
  let connection: RpcConnection | undefined;
  void RpcServer.listen({
    env: server.env, host: "0.0.0.0", port, heartbeat, token: "leader 1",
    accept: () => ({
      about: null,
      welcomed: (welcomed) => {
        welcomed.handler = handler("server");
      },
    }),
  }).then(async () => {
    ({ connection } = await connectRpc({ env: client.env, host: "server", port, role: "client", about: undefined }));
    connection.handler = handler("client");
  });
  assert.ok(await simulation.run(() => connection !== undefined, 60_000));
  return { simulation, client: connection!, server, lost };
}

test("an idle connection lives on heartbeats", async () => {
  const { simulation, client, lost } = await connected();
  await simulation.run(() => lost.length > 0, HOUR_MS);
  assert.deepEqual(lost, []);
  let answer: unknown;
  void client.request("still there?", null).then((value) => {
    answer = value;
  });
  await simulation.run(() => answer !== undefined, heartbeat.intervalMs);
  assert.equal(answer, "here");
});

test("a connection whose other end is silent is lost after the time-out, at the next interval at the latest", async () => {
  const { simulation, server, lost } = await connected();
  server.pause();
  const since = simulation.nowMs;
  assert.ok(await simulation.run(() => lost.length > 0, HOUR_MS));
  assert.deepEqual(lost, ["client: RPC_HEARTBEAT_TIMEOUT"]);
  const silentMs = simulation.nowMs - since;
  assert.ok(silentMs > heartbeat.timeoutMs - heartbeat.intervalMs && silentMs <= heartbeat.timeoutMs + 2 * heartbeat.intervalMs, `${silentMs} ms`);
});
