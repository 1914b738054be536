import type { Coordination, Env, FencedStore } from "@millrace/core";
import { CheckpointIdCounter, CheckpointPointers } from "./checkpoint-pointers.js";
import { ExecutionPlanStore } from "./execution-plan-store.js";
import { JobResultStore } from "./job-result-store.js";
import { ProcessElection, type LeaderElection } from "./leader-election.js";
import { coordinatedRetrieval, type LeaderRetrieval } from "./leader-retrieval.js";

/** What a leader recovers from and writes to. Bound to one fencing token: of a deposed leader's stores every write fails. */
export interface RecoveryStores {
  readonly fencingToken: number;
  readonly executionPlans: ExecutionPlanStore;
  readonly jobResults: JobResultStore;
  checkpointPointers(jobId: string): CheckpointPointers;
  checkpointIdCounter(jobId: string): CheckpointIdCounter;
  /**
   * Removes everything that is kept of a job (plan, pointers, id counter), for a job whose result is dirty; its checkpoint files are the
   * checkpoint store's. Can be repeated until it succeeds.
   */
  cleanupJob(jobId: string): Promise<void>;
}

/**
 * Everything a process needs to have a leader, find the leader, and take over from one. Flink: HighAvailabilityServices.
 *
 * What a leader that lost its leadership may still do: finish what has no effect outside its process, read, and try to write, which fails.
 * It must not tell TaskManagers or clients that something succeeded unless the commit that made it so has resolved, and it deletes files
 * only after a commit that forgets them. Messages carry the fencing token, and receivers drop those below the largest they have seen.
 */
export interface HighAvailabilityServices {
  /** `componentId`: `dispatcher`, `resourcemanager`, `rest`, `jobmaster-<job id>`. */
  leaderElection(componentId: string): LeaderElection;
  leaderRetrieval(componentId: string): LeaderRetrieval;
  /** For the leader under this token. */
  openStores(fencingToken: number): RecoveryStores;
  /** Ends elections and retrievals; what is stored stays. */
  close(): Promise<void>;
}

export interface CoordinatedServicesInit {
  readonly env: Pick<Env, "clock" | "fs" | "log">;
  readonly coordination: Coordination;
  /** Names this process in logs and in the election, e.g. `host:port`. */
  readonly contender: string;
  /** Absolute; for what is too large for the coordination's store. */
  readonly storageDirectory: string;
  /** Absolute. */
  readonly jobResultDirectory: string;
  readonly deleteResultOnCommit: boolean;
  /** Where retrieval of a component does not go through the coordination (no high availability). */
  readonly retrieval?: (componentId: string) => LeaderRetrieval;
}

/** The services on top of any {@link Coordination}. */
export class CoordinatedServices implements HighAvailabilityServices {
  readonly #init: CoordinatedServicesInit;
  readonly #election: ProcessElection;

  constructor(init: CoordinatedServicesInit) {
    this.#init = init;
    this.#election = new ProcessElection(init.coordination, init.env, init.contender);
  }

  leaderElection(componentId: string): LeaderElection {
    return this.#election.component(componentId);
  }

  leaderRetrieval(componentId: string): LeaderRetrieval {
    return this.#init.retrieval?.(componentId) ?? coordinatedRetrieval(this.#init.coordination, componentId);
  }

  openStores(fencingToken: number): RecoveryStores {
    const { env, coordination, storageDirectory, jobResultDirectory, deleteResultOnCommit } = this.#init;
    const { store } = coordination;
    const executionPlans = new ExecutionPlanStore({ env, store, fencingToken, directory: `${storageDirectory}/plans` });
    return {
      fencingToken,
      executionPlans,
      jobResults: new JobResultStore({ env, store, fencingToken, directory: jobResultDirectory, deleteOnCommit: deleteResultOnCommit }),
      checkpointPointers: (jobId) => new CheckpointPointers(store, fencingToken, jobId),
      checkpointIdCounter: (jobId) => new CheckpointIdCounter(store, fencingToken, jobId),
      cleanupJob: async (jobId) => {
        await executionPlans.remove(jobId);
        const keys = await keysBelow(store, `jobs/${jobId}`);
        if (keys.length > 0) await store.commit(fencingToken, keys.map((key) => ({ type: "delete", key })));
      },
    };
  }

  async close(): Promise<void> {
    await this.#election.close();
    await this.#init.coordination.close();
  }
}

async function keysBelow(store: FencedStore, key: string): Promise<string[]> {
  const names = await store.list(key);
  if (names.length === 0) return (await store.get(key)) === undefined ? [] : [key];
  return (await Promise.all(names.map((name) => keysBelow(store, `${key}/${name}`)))).flat();
}
