import {
  checkChanges, leadershipLost, type Coordination, type Election, type ElectionListener, type FencedStore, type LeaderInformation, type StoreChange, type StoredValue,
} from "@millrace/core";
import type { Env } from "@millrace/core";
import { StoreTable } from "../store-table.js";

interface Contender {
  readonly name: string;
  readonly listener: ElectionListener;
  closed: boolean;
}

type LeaderListener = (leader: LeaderInformation | undefined) => void;

/**
 * Election and store in the memory of one process: for a JobManager without high availability, for tests and simulations, where several
 * contenders {@link connect} to one of these. Flink: EmbeddedHaServices.
 *
 * The first contender leads; when it closes or is revoked, the one that has waited longest does.
 */
export class EmbeddedCoordinator {
  readonly #env: Pick<Env, "clock">;
  #token: number;
  #table = new StoreTable();
  readonly #contenders: Contender[] = [];
  #leader: Contender | undefined;
  #information: LeaderInformation | undefined;
  readonly #watchers = new Set<LeaderListener>();

  /**
   * @param lastToken Tokens start after this. A process whose peers outlive it (a JobManager without high availability) gives the wall-clock
   * time in milliseconds, so that the tokens of its next incarnation are larger.
   */
  constructor(env: Pick<Env, "clock">, lastToken: number = 0) {
    this.#env = env;
    this.#token = lastToken;
  }

  /** A handle for one process. */
  connect(): Coordination {
    const elections: Election[] = [];
    return {
      store: this.#store,
      elect: (contender, listener) => {
        const election = this.#elect({ name: contender, listener, closed: false });
        elections.push(election);
        return election;
      },
      watchLeader: (listener) => this.#watch(listener),
      close: async () => {
        for (const election of elections) await election.close();
      },
    };
  }

  /** Name of the contender that leads. */
  get leader(): string | undefined {
    return this.#leader?.name;
  }

  /** Takes the leadership from whoever has it, as a lost session would; it stands again, last in line. */
  revokeLeader(): void {
    const leader = this.#leader;
    if (leader === undefined) return;
    this.#contenders.push(...this.#contenders.splice(this.#contenders.indexOf(leader), 1));
    this.#leader = undefined;
    this.#later(() => leader.closed || leader.listener.revoked());
    this.#electNext();
  }

  readonly #store: FencedStore = {
    get: async (key): Promise<StoredValue | undefined> => this.#table.get(key),
    list: async (key): Promise<string[]> => this.#table.list(key),
    commit: async (fencingToken: number, changes: readonly StoreChange[]): Promise<void> => {
      checkChanges(changes);
      this.#requireLeader(fencingToken);
      this.#table.apply(changes);
    },
  };

  #requireLeader(fencingToken: number): void {
    if (fencingToken !== this.#token || this.#leader === undefined) throw leadershipLost(fencingToken, `the newest token is ${this.#token}`);
  }

  #elect(contender: Contender): Election {
    this.#contenders.push(contender);
    this.#electNext();
    return {
      publish: async (fencingToken, addresses) => {
        this.#requireLeader(fencingToken);
        this.#tell({ fencingToken, addresses });
      },
      close: async () => {
        if (contender.closed) return;
        contender.closed = true;
        this.#contenders.splice(this.#contenders.indexOf(contender), 1);
        if (this.#leader === contender) this.#leader = undefined;
        this.#electNext();
      },
    };
  }

  #electNext(): void {
    const next = this.#contenders[0];
    if (this.#leader !== undefined) return;
    if (this.#information !== undefined) this.#tell(undefined);
    if (next === undefined) return;
    this.#leader = next;
    const token = ++this.#token;
    this.#later(() => next.closed || token !== this.#token || next.listener.granted(token));
  }

  #watch(listener: LeaderListener): { close(): void } {
    this.#watchers.add(listener);
    const known = this.#information;
    this.#later(() => this.#watchers.has(listener) && known === this.#information && listener(known));
    return { close: () => void this.#watchers.delete(listener) };
  }

  #tell(information: LeaderInformation | undefined): void {
    this.#information = information;
    for (const watcher of this.#watchers) this.#later(() => this.#watchers.has(watcher) && watcher(information));
  }

  #later(action: () => unknown): void {
    this.#env.clock.yieldThen(() => void action());
  }
}
