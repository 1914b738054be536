import type { FencedStore } from "./fenced-store.js";

/** Who leads: what the leader told of itself after it was elected. */
export interface LeaderInformation {
  readonly fencingToken: number;
  /** Address by component (`dispatcher`, `resourcemanager`, `rest`, …). Components appear as they confirm. */
  readonly addresses: Readonly<Record<string, string>>;
}

/**
 * What happens to a contender. Calls come one at a time, never from within a call of {@link Coordination} or {@link Election}:
 * any number of (`granted`, `revoked`) pairs, each with a larger token than the one before.
 */
export interface ElectionListener {
  /** This process leads from now on, under this token. */
  granted(fencingToken: number): void;
  /** It no longer does. Everything begun under the token must stop; what is written under it later has no effect. */
  revoked(): void;
  /** Something is wrong that the election cannot mend by waiting (state that cannot be read, no permission). It goes on trying. */
  failed(error: Error): void;
}

/** This process's part in an election. */
export interface Election {
  /**
   * Makes the leader's addresses known; replaces what was known.
   * @throws `LEADERSHIP_LOST`
   */
  publish(fencingToken: number, addresses: Readonly<Record<string, string>>): Promise<void>;
  /** Takes no further part; a leader hands over at once, without `revoked`. */
  close(): Promise<void>;
}

/**
 * One system that elects a leader and keeps little but important data: memory, a shared directory, ZooKeeper, Kubernetes. The SPI of
 * `packages/ha-*`; everything above it (job graphs, results, checkpoints) is the same for all.
 *
 * Contract: fencing tokens are integers that strictly increase from one grant to the next, over all contenders and restarts. At any time
 * more than one process may *believe* it leads (it may have been paused), but only the newest grant's {@link FencedStore.commit} succeeds.
 */
export interface Coordination {
  readonly store: FencedStore;
  /** Joins the election. `contender` names this process in logs. Once for each Coordination. */
  elect(contender: string, listener: ElectionListener): Election;
  /** Tells who leads: soon after the call, and at each change; `undefined` while nobody is known to. */
  watchLeader(listener: (leader: LeaderInformation | undefined) => void): { close(): void };
  /** Ends everything; an election still open is closed. Data stays. */
  close(): Promise<void>;
}
