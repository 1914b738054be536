import type { Coordination, Election, ElectionListener, Env, LeaderInformation } from "@millrace/core";
import { FileElection } from "./file-election.js";
import { FileLayout } from "./file-layout.js";
import { FileStore } from "./file-store.js";
import { readLease } from "./lease.js";

export interface FileCoordinationInit {
  readonly env: Pick<Env, "clock" | "fs" | "log">;
  /** Absolute; the same directory for all processes of the cluster. */
  readonly directory: string;
  readonly leaseTimeoutMs: number;
  readonly leaseIntervalMs: number;
}

/**
 * Coordination through a directory that all JobManagers share: for small set-ups, without a service of its own.
 *
 * Needs of the file system: a hard link or another exclusive creation that is atomic, an atomic rename, and that a name created or renamed
 * by one process is seen by the next look of any other. Local disks and clustered file systems do this; NFS only without caching of names
 * and attributes (docs/high-availability.md).
 */
export class FileCoordination implements Coordination {
  readonly #init: FileCoordinationInit;
  readonly #layout: FileLayout;
  readonly #closers = new Set<() => void | Promise<void>>();
  readonly store: FileStore;

  constructor(init: FileCoordinationInit) {
    this.#init = init;
    this.#layout = new FileLayout(init.env.fs, init.directory);
    this.store = new FileStore(this.#layout);
  }

  elect(contender: string, listener: ElectionListener): Election {
    const { env, leaseTimeoutMs, leaseIntervalMs } = this.#init;
    const election = new FileElection({ env, layout: this.#layout, store: this.store, contender, listener, leaseTimeoutMs, leaseIntervalMs });
    this.#closers.add(() => election.close());
    return election;
  }

  /** Looks once in a lease interval. A leader that left is nobody; one that is silent stays known until there is another. */
  watchLeader(listener: (leader: LeaderInformation | undefined) => void): { close(): void } {
    const { env, leaseIntervalMs } = this.#init;
    let closed = false;
    let told: string | undefined;
    const look = async (): Promise<void> => {
      const token = await this.#layout.highestClaim().catch(() => 0);
      const lease = token === 0 ? undefined : await readLease(this.#layout, token).catch(() => undefined);
      if (closed) return;
      const leader = lease === undefined || lease.released ? undefined : { fencingToken: lease.fencingToken, addresses: lease.addresses };
      const text = JSON.stringify(leader ?? null);
      if (text !== told) listener(leader);
      told = text;
      if (!closed) timer = env.clock.setTimer(leaseIntervalMs, () => void look());
    };
    let timer = env.clock.setTimer(0, () => void look());
    const close = (): void => {
      closed = true;
      timer.cancel();
      this.#closers.delete(close);
    };
    this.#closers.add(close);
    return { close };
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close();
  }
}
