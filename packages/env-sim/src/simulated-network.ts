import { MillraceError, type Connection, type Net } from "@millrace/core";
import type { Random } from "./random.js";
import { SimulatedConnection, type Segment } from "./simulated-connection.js";
import type { SimulatedProcess } from "./simulated-process.js";
import type { Simulation } from "./simulation.js";

const LEAST_US = 30;
const MOST_US = 1500;
/** How long a connection is tried that nobody answers. */
const CONNECT_TIMEOUT_US = 3_000_000;
const FIRST_FREE_PORT = 40_000;

interface Listener {
  readonly process: SimulatedProcess;
  readonly accept: (connection: Connection) => void;
}

/** What is on its way from one end of a connection to the other. */
interface Lane {
  readonly waiting: { readonly segment: Segment; readonly arrivesUs: number }[];
  lastUs: number;
  moving: boolean;
}

/** The network between hosts: connections with delays, and links that can be cut each way. What a cut link holds back arrives when it is mended. */
export class SimulatedNetwork {
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly #listeners = new Map<string, Listener>();
  readonly #cut = new Set<string>();
  readonly #down = new Set<string>();
  readonly #lanes = new Map<SimulatedConnection, Lane>();
  readonly #connections = new Set<SimulatedConnection>();
  #slowness = 1;
  #nextPort = FIRST_FREE_PORT;
  /** Segments that a cut link held back. */
  heldBack = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    this.#random = simulation.random("network");
  }

  of(process: SimulatedProcess): Net {
    return {
      connect: (host, port) => this.#connect(process, host, port),
      listen: async (_host, port, accept) => this.#listen(process, port, accept),
    };
  }

  /** Lets nothing through from one host to another. */
  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`);
  }

  mend(from: string, to: string): void {
    this.#cut.delete(`${from}>${to}`);
    this.#moveAll();
  }

  mendAll(): void {
    this.#cut.clear();
    this.#slowness = 1;
    this.#moveAll();
  }

  /** Everything takes that many times as long. */
  slow(slowness: number): void {
    this.#slowness = slowness;
  }

  isUp(host: string): boolean {
    return !this.#down.has(host);
  }

  setUp(host: string, up: boolean): void {
    if (up) this.#down.delete(host);
    else this.#down.add(host);
    if (up) this.#moveAll();
  }

  /** Connections with an open end in a process of the host. */
  connectionsOf(host: string): readonly SimulatedConnection[] {
    return [...this.#connections].filter((connection) => connection.open && connection.owner.host === host);
  }

  /** Takes a segment from an end to its peer; segments keep their order. */
  send(from: SimulatedConnection, segment: Segment): void {
    let lane = this.#lanes.get(from);
    if (lane === undefined) this.#lanes.set(from, (lane = { waiting: [], lastUs: 0, moving: false }));
    if (segment.kind === "reset") lane.waiting.length = 0;
    lane.lastUs = Math.max(lane.lastUs, this.#simulation.nowUs + this.#delayUs());
    lane.waiting.push({ segment, arrivesUs: lane.lastUs });
    this.#move(from, lane);
  }

  #move(from: SimulatedConnection, lane: Lane): void {
    const [first] = lane.waiting;
    if (lane.moving || first === undefined) return;
    lane.moving = true;
    this.#simulation.schedule(first.arrivesUs - this.#simulation.nowUs, () => {
      lane.moving = false;
      if (!this.passes(from.owner.host, from.otherEnd.owner.host)) {
        this.heldBack++;
        return;
      }
      const next = lane.waiting.shift();
      if (next === undefined) return;
      if (next.segment.kind !== "bytes") this.#connections.delete(from);
      from.otherEnd.arrived(next.segment);
      this.#move(from, lane);
    });
  }

  #moveAll(): void {
    for (const [from, lane] of this.#lanes) this.#move(from, lane);
  }

  /** Whether something that is sent now from host to host would arrive. */
  passes(from: string, to: string): boolean {
    return this.isUp(to) && !this.#cut.has(`${from}>${to}`);
  }

  #delayUs(): number {
    return this.#random.skewed(LEAST_US, MOST_US) * this.#slowness;
  }

  #connect(process: SimulatedProcess, host: string, port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new MillraceError({ code: "CONNECTION_FAILED", message: `cannot connect to ${host}:${port}: ${why}`, recovery: "retry" }));
      this.#simulation.schedule(this.#delayUs(), () => {
        if (!process.alive) return;
        if (!this.passes(process.host, host) || !this.passes(host, process.host)) {
          process.later(CONNECT_TIMEOUT_US, () => fail("ETIMEDOUT"));
          return;
        }
        const listener = this.#listeners.get(`${host}:${port}`);
        if (listener?.process.alive !== true) {
          process.later(this.#delayUs(), () => fail("ECONNREFUSED"));
          return;
        }
        const client = new SimulatedConnection(this, process);
        const server = new SimulatedConnection(this, listener.process);
        client.otherEnd = server;
        server.otherEnd = client;
        this.#connections.add(client);
        this.#connections.add(server);
        listener.process.run(() => listener.accept(server));
        process.later(this.#delayUs(), () => resolve(client));
      });
    });
  }

  #listen(process: SimulatedProcess, wanted: number, accept: Listener["accept"]): { readonly port: number; close(): Promise<void> } {
    const port = wanted === 0 ? this.#nextPort++ : wanted;
    const address = `${process.host}:${port}`;
    if (this.#listeners.get(address)?.process.alive === true) throw new MillraceError({ code: "ADDRESS_IN_USE", message: `cannot listen on ${address}: another program already does` });
    const listener = { process, accept };
    this.#listeners.set(address, listener);
    return {
      port,
      close: async () => {
        if (this.#listeners.get(address) === listener) this.#listeners.delete(address);
      },
    };
  }
}
