import { parentPort, type MessagePort } from "node:worker_threads";
import { MillraceError, isMillraceError, serializeError, type MessagePortLike } from "@millrace/core";
import { createNodeEnv, nodeMessagePort } from "@millrace/env-node";
import type { StreamGraph } from "@millrace/graph";
import { SlotExecutor, SlotSockets, currentTaskLabel } from "@millrace/runtime";
import type { SlotCommand, SlotEvent, SocketPeer } from "@millrace/runtime";
import { IsolateMetrics } from "../metrics/isolate-metrics.js";
import { RefusalLog } from "../rpc/refusal-log.js";
import { INTERNAL_UNIT } from "../security/peer-roles.js";
import { captureGraph } from "./capture-graph.js";
import { slotChannel } from "./slot-channel.js";
import type { SlotLoad } from "./slot-protocol.js";
import { UserOutput } from "./user-output.js";

/*
 * A slot in a worker thread or a process of its own: re-runs the job's module for its functions, then does what the JobMaster commands. Commands that come while
 * the module loads wait for it.
 */
const USAGE_INTERVAL_MS = 1000;
const channel = await slotChannel();
const send = (event: SlotEvent, transfer: readonly ArrayBuffer[] = []): void => channel.post(event, transfer);
const output = new UserOutput((level, line) => send({ type: "log", level, line, fromUser: true }), currentTaskLabel);

process.setSourceMapsEnabled(true);
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);

const { preloadUrl, binding, credentials } = channel.begin;
const sockets = binding === undefined ? undefined : await listen();
if (sockets !== undefined) channel.post({ type: "listening", port: sockets.port });
// Should it not load, the job's own import says why.
if (preloadUrl !== undefined) import(preloadUrl).catch(() => undefined);

reportUsage();

let waiting: SlotCommand[] | undefined = [];
let executor: SlotExecutor | undefined;

channel.onMessage((message: SlotLoad | SlotCommand) => {
  if (message.type === "load") void load(message);
  else if (waiting !== undefined) waiting.push(message);
  else handle(message);
});

function reportUsage(): void {
  const isolate = new IsolateMetrics();
  const report = (): void => {
    const { user, system } = process.cpuUsage();
    channel.post({ type: "uses", usage: { ...isolate.read(), network: executor?.networkUsage, process: parentPort === null ? { rssBytes: process.memoryUsage.rss(), cpuMicros: user + system } : undefined } });
  };
  setInterval(report, USAGE_INTERVAL_MS).unref();
}

function listen(): Promise<SlotSockets> {
  const env = createNodeEnv(credentials);
  const refusals = new RefusalLog({ clock: env.clock, log: { write: (_, line) => channel.post({ type: "refused", line }) } });
  return SlotSockets.listen(env, { ...binding, peerUnit: INTERNAL_UNIT, refused: (address, why) => refusals.write(address, "to a slot was refused", why) });
}

async function load(message: SlotLoad): Promise<void> {
  process.argv.splice(1, Number.POSITIVE_INFINITY, message.source, ...message.args);
  let graph: StreamGraph;
  try {
    if (message.identity !== undefined) sockets?.open(message.identity, fail);
    graph = await captureGraph(message);
  } catch (error) {
    send({ type: "slotFailed", error: serializeError(cannotLoad(error, message.source)) });
    return;
  }
  const env = { ...createNodeEnv(), log: { write: (level: Parameters<ReturnType<typeof createNodeEnv>["log"]["write"]>[0], line: string) => send({ type: "log", level: level === "debug" ? "info" : level, line }) } };
  executor = new SlotExecutor({ env, send, loadGraph: () => graph, portFor });
  output.open();
  const commands = waiting!;
  waiting = undefined;
  for (const command of commands) handle(command);
}

/** In this process a peer is reached through a `MessagePort`, in another through a socket. */
function portFor(peer: unknown): MessagePortLike {
  return (peer as Partial<SocketPeer>).kind === "socket" ? sockets!.portTo(peer as SocketPeer) : nodeMessagePort(peer as MessagePort);
}

function handle(command: SlotCommand): void {
  try {
    executor!.handle(command);
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): void {
  const label = currentTaskLabel();
  send({
    type: "slotFailed",
    error: serializeError(isMillraceError(error) ? error : new MillraceError({
      code: "SLOT_UNCAUGHT_ERROR", recovery: "restart", cause: error,
      message: `an error outside of any call of the engine reached the top of a slot${label === undefined ? "" : ` while ${label} ran`}`,
      hint: "a promise or callback that a function started and nobody awaited has failed",
    })),
  });
}

function cannotLoad(error: unknown, source: string): MillraceError {
  if (isMillraceError(error)) return error;
  return new MillraceError({ code: "JOB_MODULE_FAILED", message: `"${source}" failed when a slot ran it again: ${(error as Error).message}`, location: { file: source }, cause: error });
}
