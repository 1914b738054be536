import { parentPort, type MessagePort } from "node:worker_threads";
import { MillraceError, isMillraceError, serializeError, type MessagePortLike } from "@millrace/core";
import { createNodeEnv, nodeMessagePort, type PeerCredentials } from "@millrace/env-node";
import { ModuleGate, type StreamGraph } from "@millrace/graph";
import { SlotExecutor, SlotSockets, currentTaskLabel } from "@millrace/runtime";
import type { SlotBinding, SlotCommand, SlotEvent, SocketPeer } from "@millrace/runtime";
import { IsolateMetrics } from "../metrics/isolate-metrics.js";
import { RefusalLog } from "../rpc/refusal-log.js";
import { INTERNAL_UNIT } from "../security/peer-roles.js";
import { captureGraph } from "./capture-graph.js";
import { slotChannel, type SlotChannel } from "./slot-channel.js";
import type { SlotLoad } from "./slot-protocol.js";
import { UserOutput } from "./user-output.js";

/*
 * A slot in a worker thread or a process of its own: re-runs the job's module for its functions, then does what the JobMaster commands. Commands that come while
 * the module loads wait for it. No top-level await: see ModuleGate.
 */
const USAGE_INTERVAL_MS = 1000;

class Slot {
  readonly #channel: SlotChannel;
  readonly #sockets: SlotSockets | undefined;
  readonly #gate: ModuleGate;
  readonly #output: UserOutput = new UserOutput((level, line) => this.#send({ type: "log", level, line, fromUser: true }), currentTaskLabel);
  #waiting: SlotCommand[] | undefined = [];
  #executor: SlotExecutor | undefined;

  private constructor(channel: SlotChannel, sockets: SlotSockets | undefined) {
    this.#channel = channel;
    this.#sockets = sockets;
    this.#gate = new ModuleGate(channel.begin.gate);
  }

  /** Whatever is wrong before this is done is the end of the slot. */
  static async begin(): Promise<void> {
    const channel = await slotChannel();
    const { preloadUrl, binding, credentials } = channel.begin;
    const sockets = binding === undefined ? undefined : await listen(channel, binding, credentials);
    const slot = new Slot(channel, sockets);
    process.setSourceMapsEnabled(true);
    process.on("uncaughtException", (error) => slot.#fail(error));
    process.on("unhandledRejection", (error) => slot.#fail(error));
    if (sockets !== undefined) channel.post({ type: "listening", port: sockets.port });
    // Should it not load, the job's own import says why.
    if (preloadUrl !== undefined) import(preloadUrl).catch(() => undefined);
    slot.#reportUsage();
    channel.onMessage((message) => slot.#take(message));
  }

  #take(message: SlotLoad | SlotCommand): void {
    if (message.type === "load") void this.#load(message);
    else if (this.#waiting !== undefined) this.#waiting.push(message);
    else this.#handle(message);
  }

  #send(event: SlotEvent, transfer: readonly ArrayBuffer[] = []): void {
    this.#channel.post(event, transfer);
  }

  #reportUsage(): void {
    const isolate = new IsolateMetrics();
    const report = (): void => {
      const { user, system } = process.cpuUsage();
      const own = parentPort === null ? { rssBytes: process.memoryUsage.rss(), cpuMicros: user + system } : undefined;
      this.#channel.post({ type: "uses", usage: { ...isolate.read(), network: this.#executor?.networkUsage, process: own } });
    };
    setInterval(report, USAGE_INTERVAL_MS).unref();
  }

  async #load(message: SlotLoad): Promise<void> {
    process.argv.splice(1, Number.POSITIVE_INFINITY, message.source, ...message.args);
    let graph: StreamGraph;
    try {
      if (message.identity !== undefined) this.#sockets?.open(message.identity, (error) => this.#fail(error));
      graph = await captureGraph(message, this.#gate);
    } catch (error) {
      this.#send({ type: "slotFailed", error: serializeError(cannotLoad(error, message.source)) });
      return;
    }
    const env = { ...createNodeEnv(), log: { write: (level: Parameters<ReturnType<typeof createNodeEnv>["log"]["write"]>[0], line: string) => this.#send({ type: "log", level: level === "debug" ? "info" : level, line }) } };
    this.#executor = new SlotExecutor({ env, send: (event, transfer) => this.#send(event, transfer), loadGraph: () => graph, portFor: (peer) => this.#portFor(peer) });
    this.#output.open();
    const commands = this.#waiting!;
    this.#waiting = undefined;
    for (const command of commands) this.#handle(command);
  }

  /** In this process a peer is reached through a `MessagePort`, in another through a socket. */
  #portFor(peer: unknown): MessagePortLike {
    return (peer as Partial<SocketPeer>).kind === "socket" ? this.#sockets!.portTo(peer as SocketPeer) : nodeMessagePort(peer as MessagePort);
  }

  #handle(command: SlotCommand): void {
    try {
      this.#executor!.handle(command);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const label = currentTaskLabel();
    this.#send({
      type: "slotFailed",
      error: serializeError(isMillraceError(error) ? error : new MillraceError({
        code: "SLOT_UNCAUGHT_ERROR", recovery: "restart", cause: error,
        message: `an error outside of any call of the engine reached the top of a slot${label === undefined ? "" : ` while ${label} ran`}`,
        hint: "a promise or callback that a function started and nobody awaited has failed",
      })),
    });
  }
}

function listen(channel: SlotChannel, binding: Partial<SlotBinding>, credentials: PeerCredentials | undefined): Promise<SlotSockets> {
  const env = createNodeEnv(credentials);
  const refusals = new RefusalLog({ clock: env.clock, log: { write: (_, line) => channel.post({ type: "refused", line }) } });
  return SlotSockets.listen(env, { ...binding, peerUnit: INTERNAL_UNIT, refused: (address, why) => refusals.write(address, "to a slot was refused", why) });
}

function cannotLoad(error: unknown, source: string): MillraceError {
  if (isMillraceError(error)) return error;
  return new MillraceError({ code: "JOB_MODULE_FAILED", message: `"${source}" failed when a slot ran it again: ${(error as Error).message}`, location: { file: source }, cause: error });
}

void Slot.begin();
