import type { Random, SimulatedProcess, Simulation } from "@millrace/env-sim";

interface Transaction {
  readonly sink: number;
  readonly epoch: number;
  readonly values: readonly string[];
  state: "prepared" | "committed" | "aborted";
}

/** How often the way to the store and back goes wrong, each as a share of the calls. */
export interface StoreTrouble {
  readonly lostRequests?: number;
  /** As `lostRequests`, for commits alone: whoever asks for one sees nothing else go wrong, and has to ask again. */
  readonly lostCommits?: number;
  readonly lostReplies?: number;
  readonly duplicates?: number;
  readonly late?: number;
}

const TIMEOUT_US = 400_000;

/**
 * An external system with transactions, reached over a network that loses, repeats and delays calls. It refuses writers of an older epoch than
 * it has seen, and aborts what those have left when it is told that nobody will commit it.
 */
export class ExternalStore {
  readonly struck = { lostRequests: 0, lostCommits: 0, lostReplies: 0, duplicates: 0, late: 0 };
  trouble: StoreTrouble = {};
  /** How long a writer takes for a record: those before it have to wait then. */
  slowMs = 0;
  /** Transactions that were prepared and given up. */
  aborted = 0;
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly #violate: (what: string) => void;
  readonly #transactions = new Map<string, Transaction>();
  readonly #newestEpoch = new Map<number, number>();
  /** Of each writer that ever was: how many records it has that it has not prepared. */
  readonly #writers: { readonly sink: number; readonly epoch: number; readonly unprepared: () => number }[] = [];

  constructor(simulation: Simulation, violate: (what: string) => void) {
    this.#simulation = simulation;
    this.#random = simulation.random("store");
    this.#violate = violate;
  }

  /** Committed values of a sink, sorted. */
  committed(sink: number): string[] {
    return [...this.#transactions.values()].filter((transaction) => transaction.sink === sink && transaction.state === "committed").flatMap(({ values }) => values).sort();
  }

  /** Transactions of the newest epoch that were prepared and nothing came of. */
  get leftPrepared(): readonly string[] {
    return [...this.#transactions].filter(([, { state, sink, epoch }]) => state === "prepared" && epoch === this.#newestEpoch.get(sink)).map(([id]) => id);
  }

  /** How many records the writers of the newest epoch have taken and not prepared. None when a job has finished: what it stopped behind has them all. */
  get unprepared(): number {
    return this.#writers.reduce((sum, { sink, epoch, unprepared }) => sum + (epoch === this.#newestEpoch.get(sink) ? unprepared() : 0), 0);
  }

  watch(sink: number, epoch: number, unprepared: () => number): void {
    this.#writers.push({ sink, epoch, unprepared });
  }

  /** A writer of this epoch is there: older ones write no more. */
  open(caller: SimulatedProcess, sink: number, epoch: number): Promise<void> {
    return this.#call(caller, () => {
      if (epoch < (this.#newestEpoch.get(sink) ?? 0)) throw new Error(`a writer of epoch ${epoch} is too old`);
      this.#newestEpoch.set(sink, epoch);
    });
  }

  prepare(caller: SimulatedProcess, id: string, sink: number, epoch: number, values: readonly string[]): Promise<void> {
    return this.#call(caller, () => {
      if (epoch < (this.#newestEpoch.get(sink) ?? 0)) throw new Error(`a writer of epoch ${epoch} is too old`);
      if (!this.#transactions.has(id)) this.#transactions.set(id, { sink, epoch, values, state: "prepared" });
    });
  }

  /** Everything of older epochs that a checkpoint covers is committed: the rest never will be. */
  abortOlder(caller: SimulatedProcess, sink: number, epoch: number): Promise<void> {
    return this.#call(caller, () => {
      for (const transaction of this.#transactions.values()) {
        if (transaction.sink !== sink || transaction.epoch >= epoch || transaction.state !== "prepared") continue;
        transaction.state = "aborted";
        this.aborted++;
      }
    });
  }

  /** Committing twice is fine. */
  commit(caller: SimulatedProcess, id: string): Promise<"committed" | "already committed"> {
    return this.#call(caller, () => {
      const transaction = this.#transactions.get(id);
      if (transaction === undefined) this.#violate(`transaction ${id} is to be committed and was never prepared`);
      else if (transaction.state === "aborted") this.#violate(`transaction ${id} is to be committed after it was given up: a committable came late`);
      else if (transaction.state === "prepared") {
        transaction.state = "committed";
        return "committed";
      }
      return "already committed";
    }, "lostCommits");
  }

  #call<T>(caller: SimulatedProcess, effect: () => T, loses?: "lostCommits"): Promise<T> {
    const { trouble } = this;
    const strikes = (kind: keyof StoreTrouble): boolean => {
      const struck = this.#random.chance(trouble[kind] ?? 0);
      if (struck) this.struck[kind]++;
      return struck;
    };
    const lostRequest = strikes("lostRequests") || (loses !== undefined && strikes(loses));
    const lostReply = !lostRequest && strikes("lostReplies");
    const delayUs = this.#random.skewed(100, 4000) + (strikes("late") ? this.#random.int(1, 600) * 1000 : 0);
    return new Promise((resolve, reject) => {
      const timeout = (): void => void caller.later(TIMEOUT_US, () => reject(new Error("the store does not answer")));
      if (lostRequest) return timeout();
      if (strikes("duplicates")) this.#simulation.schedule(delayUs + this.#random.int(1, 900) * 1000, () => this.#quietly(effect));
      this.#simulation.schedule(delayUs, () => {
        let reply: () => void;
        try {
          const result = effect();
          reply = () => resolve(result);
        } catch (error) {
          reply = () => reject(error as Error);
        }
        if (lostReply) timeout();
        else caller.later(this.#random.skewed(100, 2000), reply);
      });
    });
  }

  #quietly(effect: () => unknown): void {
    try {
      effect();
    } catch {
      // Whoever asked has been answered before.
    }
  }
}
