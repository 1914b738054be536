import { simulatedChannel, type SimulatedProcess } from "@millrace/env-sim";
import { Configuration, MillraceError, allOptions, serializeError, type Env, type MessagePortLike } from "@millrace/core";
import type { HostedSlot, SlotHost, SlotOpening } from "@millrace/cluster";
import { compareFingerprints, translate, type JobGraph, type Pipeline, type StreamGraph } from "@millrace/graph";
import { SlotExecutor, SlotSockets, type SlotCommand, type SlotEvent, type SocketPeer } from "@millrace/runtime";
import { watchCredits, type CreditLedger } from "./credit-ledger.js";

export interface SimulatedSlotHostInit {
  /** Of the TaskManager. */
  readonly process: SimulatedProcess;
  /** Builds the graph of an artifact's text, in a thread, as a worker that runs the job's module again does. */
  readonly build: (artifact: string, thread: SimulatedProcess) => Pipeline;
  readonly ledger: CreditLedger;
}

const TERMINATION_US = 800;

/** The slots of a simulated TaskManager: threads of its process, each with the real executor and the real sockets. */
export class SimulatedSlotHost implements SlotHost {
  readonly running = new Set<SimulatedSlot>();
  readonly #init: SimulatedSlotHostInit;
  #opened = 0;

  constructor(init: SimulatedSlotHostInit) {
    this.#init = init;
  }

  open(opening: SlotOpening, onEvent: (event: SlotEvent) => void): HostedSlot {
    const slot = new SimulatedSlot(this.#init, `slot${this.#opened++}`, opening, onEvent);
    this.running.add(slot);
    slot.thread.onEnd(() => this.running.delete(slot));
    return slot;
  }

  connect(epoch: number, a: HostedSlot, slotA: number, b: HostedSlot, slotB: number): void {
    const [portA, portB] = simulatedChannel((a as SimulatedSlot).thread, (b as SimulatedSlot).thread);
    (a as SimulatedSlot).post({ type: "connect", epoch, peerSlot: slotB, port: portA });
    (b as SimulatedSlot).post({ type: "connect", epoch, peerSlot: slotA, port: portB });
  }

  async close(): Promise<void> {}
}

/** A slot as a thread. Messages between it and its TaskManager are cloned and take time; terminated, it is gone in the middle of whatever it did. */
export class SimulatedSlot implements HostedSlot {
  readonly thread: SimulatedProcess;
  readonly dataPort: Promise<number>;
  readonly #init: SimulatedSlotHostInit;
  readonly #opening: SlotOpening;
  readonly #onEvent: (event: SlotEvent) => void;
  #sockets: SlotSockets | undefined;
  #waiting: SlotCommand[] | undefined = [];
  #executor: SlotExecutor | undefined;
  #terminated: Promise<void> | undefined;

  constructor(init: SimulatedSlotHostInit, name: string, opening: SlotOpening, onEvent: (event: SlotEvent) => void) {
    this.#init = init;
    this.#opening = opening;
    this.#onEvent = onEvent;
    this.thread = init.process.thread(name);
    this.dataPort = this.#start();
    this.dataPort.catch((error: unknown) => this.#send({ type: "slotFailed", error: serializeError(error) }));
  }

  send(command: SlotCommand): void {
    this.post(structuredClone(command));
  }

  /** A message from the TaskManager's thread. */
  post(command: SlotCommand): void {
    this.thread.later(40, () => {
      if (this.#waiting === undefined) this.#handle(command);
      else this.#waiting.push(command);
    });
  }

  terminate(): Promise<void> {
    this.#terminated ??= new Promise((resolve) => {
      this.thread.kill("killed");
      this.#init.process.later(TERMINATION_US, resolve);
    });
    return this.#terminated;
  }

  /** The thread dies by itself, as one does that runs out of memory; its TaskManager notices. */
  die(): void {
    if (!this.thread.alive) return;
    this.thread.kill("killed");
    const error = new MillraceError({ code: "SLOT_LOST", recovery: "restart", message: "a slot's worker thread died" });
    this.#init.process.later(TERMINATION_US, () => {
      if (this.#terminated === undefined) this.#onEvent({ type: "slotFailed", error: serializeError(error) });
    });
  }

  async #start(): Promise<number> {
    const { env } = this.thread;
    this.#sockets = await SlotSockets.listen(env, { host: this.thread.host });
    this.#sockets.open(this.#opening.identity, (error) => this.#send({ type: "slotFailed", error: serializeError(error) }));
    void this.#load(env);
    return this.#sockets.port;
  }

  async #load(env: Env): Promise<void> {
    try {
      const artifact = new TextDecoder().decode(await env.fs.readFile(this.#opening.artifactPath));
      const graph = plannedGraph(this.#init.build(artifact, this.thread), this.#opening.jobGraph);
      const log = { write: (level: Parameters<Env["log"]["write"]>[0], line: string) => this.#send({ type: "log", level: level === "debug" ? "info" : level, line }) };
      this.#executor = new SlotExecutor({ env: { ...env, log }, send: (event) => this.#send(event), loadGraph: () => graph, portFor: (peer) => this.#portFor(peer) });
      const commands = this.#waiting!;
      this.#waiting = undefined;
      for (const command of commands) this.#handle(command);
    } catch (error) {
      this.#send({ type: "slotFailed", error: serializeError(error) });
    }
  }

  #portFor(peer: unknown): MessagePortLike {
    const { identity } = this.#opening;
    const port = (peer as Partial<SocketPeer>).kind === "socket" ? this.#sockets!.portTo(peer as SocketPeer) : (peer as MessagePortLike);
    return watchCredits(port, this.#init.ledger, `${this.thread.name} of slot ${identity.slotIndex}`, Configuration.of(this.#opening.jobGraph.config, allOptions));
  }

  #handle(command: SlotCommand): void {
    try {
      this.#executor!.handle(command);
    } catch (error) {
      this.#send({ type: "slotFailed", error: serializeError(error) });
    }
  }

  #send(event: SlotEvent): void {
    const cloned = structuredClone(event);
    this.#init.process.later(40, () => {
      if (this.#terminated === undefined) this.#onEvent(cloned);
    });
  }
}

/** The graph with the program's functions; everything else comes from the plan. */
function plannedGraph(pipeline: Pipeline, jobGraph: JobGraph): StreamGraph {
  const config = Configuration.of(jobGraph.config, allOptions);
  compareFingerprints(jobGraph, translate({ ...pipeline, config }, { jobId: jobGraph.jobId, once: jobGraph.once }));
  return pipeline.graph;
}
