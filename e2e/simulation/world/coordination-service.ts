import type { Cancellable, Coordination, ElectionListener, FencedStore, LeaderInformation } from "@millrace/core";
import { MillraceError, checkChanges, leadershipLost } from "@millrace/core";
import { StoreTable } from "@millrace/cluster";
import type { Random, SimulatedNetwork, SimulatedProcess, Simulation } from "@millrace/env-sim";

/** Where the service runs; others can be cut off from it. */
export const COORDINATION_HOST = "zk";

/** A client's standing with the service. Ends when nothing is heard of the client for the session timeout, which the client need not know. */
interface Session {
  readonly client: ServiceClient;
  expiry: Cancellable | undefined;
  /** Under which it was elected, while it leads. */
  token: number | undefined;
}

interface Beat {
  readonly alive: boolean;
  readonly token: number | undefined;
  readonly version: number;
  readonly information: LeaderInformation | undefined;
}

/** An answer that is late is asked for again this often, as TCP does. */
const RETRANSMIT_US = 40_000;
const MOST_RETRANSMITS = 12;

/**
 * A service that elects and stores, as ZooKeeper does: sessions that expire, a queue of contenders, commits that the newest token alone may make. It
 * never loses what it has; the way to it may be cut, and then nobody knows whether a commit was made.
 */
export class CoordinationService {
  down = false;
  readonly #simulation: Simulation;
  readonly #network: SimulatedNetwork;
  readonly #random: Random;
  readonly #sessionTimeoutMs: number;
  readonly #table = new StoreTable();
  readonly #queue: Session[] = [];
  readonly #clients = new Set<ServiceClient>();
  #token = 0;
  #information: LeaderInformation | undefined;
  #version = 0;

  constructor(simulation: Simulation, network: SimulatedNetwork, sessionTimeoutMs: number) {
    this.#simulation = simulation;
    this.#network = network;
    this.#random = simulation.random("coordination");
    this.#sessionTimeoutMs = sessionTimeoutMs;
  }

  /** A handle for one process. */
  connect(process: SimulatedProcess): Coordination {
    const client = new ServiceClient(this, process, this.#sessionTimeoutMs);
    this.#clients.add(client);
    process.onEnd(() => this.#clients.delete(client));
    return client;
  }

  /** The service gives the leader up, which is well and does not know. False when there is none. */
  expireLeader(): boolean {
    const [leader] = this.#queue;
    if (leader?.token === undefined) return false;
    this.#end(leader);
    return true;
  }

  /** Does something at the service for a client; where the way is cut, nobody knows whether it was done. @throws `HA_UNAVAILABLE` */
  call<T>(process: SimulatedProcess, effect: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const timeout = process.later(this.#sessionTimeoutMs * 500, () => reject(unavailable()));
      this.#send(process.host, COORDINATION_HOST, () => {
        let reply: () => void;
        try {
          const result = effect();
          reply = () => resolve(result);
        } catch (error) {
          reply = () => reject(error as Error);
        }
        this.#send(COORDINATION_HOST, process.host, () => process.run(() => {
          timeout.cancel();
          reply();
        }));
      });
    });
  }

  beat(session: Session, contends: boolean): Beat {
    const isNew = session.expiry === undefined;
    const known = this.#queue.includes(session);
    if (contends && isNew && !known) {
      this.#queue.push(session);
      this.#electNext();
    }
    const alive = !contends || this.#queue.includes(session);
    session.expiry?.cancel();
    session.expiry = this.#simulation.schedule(this.#sessionTimeoutMs * 1000, () => this.#end(session));
    return { alive, token: session.token, version: this.#version, information: this.#information };
  }

  leave(session: Session): void {
    session.expiry?.cancel();
    this.#end(session);
  }

  publish(session: Session, fencingToken: number, addresses: LeaderInformation["addresses"]): void {
    if (session.token !== fencingToken || this.#queue[0] !== session) throw leadershipLost(fencingToken, `the newest token is ${this.#token}`);
    this.#tell({ fencingToken, addresses });
  }

  storeFor(process: SimulatedProcess): FencedStore {
    return {
      get: (key) => this.call(process, () => this.#table.get(key)),
      list: (key) => this.call(process, () => this.#table.list(key)),
      commit: async (fencingToken, changes) => {
        checkChanges(changes);
        await this.call(process, () => {
          if (fencingToken !== this.#token) throw leadershipLost(fencingToken, `the newest token is ${this.#token}`);
          this.#table.apply(changes);
        });
      },
    };
  }

  #end(session: Session): void {
    const at = this.#queue.indexOf(session);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    if (session.token === undefined) return;
    session.token = undefined;
    this.#tell(undefined);
    this.#simulation.schedule(this.#random.skewed(200, 20_000), () => this.#electNext());
  }

  #electNext(): void {
    const [next] = this.#queue;
    if (next === undefined || next.token !== undefined) return;
    const token = ++this.#token;
    next.token = token;
    this.#simulation.note(`the coordination service elects ${next.client.process.name} with token ${token}`);
    this.#send(COORDINATION_HOST, next.client.process.host, () => next.client.elected(next, token));
  }

  #tell(information: LeaderInformation | undefined): void {
    this.#information = information;
    const version = ++this.#version;
    for (const client of this.#clients) this.#send(COORDINATION_HOST, client.process.host, () => client.learn(information, version));
  }

  /** Takes something from host to host, later when the way is cut for a while, or never. */
  #send(from: string, to: string, arrived: () => void, tries: number = 0): void {
    this.#simulation.schedule(tries === 0 ? this.#random.skewed(100, 4000) : RETRANSMIT_US, () => {
      if (!this.down && this.#network.passes(from, to)) arrived();
      else if (tries < MOST_RETRANSMITS) this.#send(from, to, arrived, tries + 1);
    });
  }
}

/** The service, as one process sees it. */
class ServiceClient implements Coordination {
  readonly process: SimulatedProcess;
  readonly store: FencedStore;
  readonly #service: CoordinationService;
  readonly #sessionTimeoutMs: number;
  readonly #watchers = new Set<(leader: LeaderInformation | undefined) => void>();
  #session: Session;
  #listener: ElectionListener | undefined;
  /** The leadership that the listener knows of. */
  #granted: number | undefined;
  #lastHeardMs = 0;
  #information: LeaderInformation | undefined;
  #version = 0;
  #beating = false;
  #closed = false;

  constructor(service: CoordinationService, process: SimulatedProcess, sessionTimeoutMs: number) {
    this.#service = service;
    this.process = process;
    this.#sessionTimeoutMs = sessionTimeoutMs;
    this.store = service.storeFor(process);
    this.#session = this.#newSession();
  }

  elect(_contender: string, listener: ElectionListener): ReturnType<Coordination["elect"]> {
    this.#listener = listener;
    this.#beginBeating();
    return {
      publish: (fencingToken, addresses) => {
        const session = this.#session;
        return this.#service.call(this.process, () => this.#service.publish(session, fencingToken, addresses));
      },
      close: async () => {
        this.#listener = undefined;
        this.#granted = undefined;
        const session = this.#session;
        await this.#service.call(this.process, () => this.#service.leave(session)).catch(() => undefined);
      },
    };
  }

  watchLeader(listener: (leader: LeaderInformation | undefined) => void): { close(): void } {
    this.#watchers.add(listener);
    this.#beginBeating();
    this.process.env.clock.yieldThen(() => this.#watchers.has(listener) && listener(this.#information));
    return { close: () => void this.#watchers.delete(listener) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watchers.clear();
  }

  /** The service says so. */
  elected(session: Session, token: number): void {
    this.process.run(() => {
      if (this.#closed || session !== this.#session || this.#granted !== undefined) return;
      this.#granted = token;
      this.#listener?.granted(token);
    });
  }

  /** Changes may arrive out of order. */
  learn(information: LeaderInformation | undefined, version: number): void {
    this.process.run(() => {
      if (version <= this.#version || this.#closed) return;
      this.#version = version;
      this.#information = information;
      for (const watcher of this.#watchers) watcher(information);
    });
  }

  #newSession(): Session {
    return { client: this, expiry: undefined, token: undefined };
  }

  #beginBeating(): void {
    if (this.#beating) return;
    this.#beating = true;
    this.#lastHeardMs = this.process.env.clock.monotonicMs();
    void this.#beat();
  }

  async #beat(): Promise<void> {
    const { clock } = this.process.env;
    while (!this.#closed) {
      const session = this.#session;
      const askedMs = clock.monotonicMs();
      try {
        const { alive, token, version, information } = await this.#service.call(this.process, () => this.#service.beat(session, this.#listener !== undefined));
        this.#lastHeardMs = askedMs;
        this.learn(information, version);
        if (!alive) this.#sessionLost();
        else if (token !== undefined) this.elected(session, token);
      } catch {
        if (clock.monotonicMs() - this.#lastHeardMs >= this.#sessionTimeoutMs) this.#sessionLost();
      }
      await new Promise<void>((resolve) => void clock.setTimer(this.#sessionTimeoutMs / 3, resolve));
    }
  }

  #sessionLost(): void {
    this.#session = this.#newSession();
    if (this.#granted === undefined) return;
    this.#granted = undefined;
    this.#listener?.revoked();
  }
}

function unavailable(): MillraceError {
  return new MillraceError({ code: "HA_UNAVAILABLE", message: "the coordination service does not answer", recovery: "retry" });
}
