import type { JobMaster } from "@millrace/cluster";
import type { Simulation } from "@millrace/env-sim";
import type { SimulatedCluster } from "./cluster.js";

export interface JobWatchInit {
  readonly simulation: Simulation;
  readonly cluster: SimulatedCluster;
  readonly violate: (what: string) => void;
  /** The jobs take several checkpoints at once. */
  readonly isConcurrent: boolean;
}

const LOOK_EVERY_US = 7_000;

/**
 * Looks at the jobs of the leader from time to time: while one restarts, none of its checkpoints waits for tasks that are no more, and no older
 * checkpoint is complete after a newer one.
 */
export class JobWatch {
  readonly #init: JobWatchInit;
  readonly #completed = new WeakMap<JobMaster, number>();

  constructor(init: JobWatchInit) {
    this.#init = init;
  }

  start(): void {
    this.#init.simulation.schedule(LOOK_EVERY_US, () => {
      this.#look();
      this.start();
    });
  }

  #look(): void {
    const { cluster, isConcurrent, violate } = this.#init;
    const dispatcher = cluster.leader?.dispatcher;
    for (const { jobId, status } of dispatcher?.list() ?? []) {
      const restarts = status === "RESTARTING";
      if (!restarts && !isConcurrent) continue;
      const { master } = dispatcher!.job(jobId);
      const { history, latest: { completed } } = master.view().checkpoints;
      // One that all have acknowledged may be on its way into the store.
      const waiting = history.find((one) => one.status === "IN_PROGRESS" && one.tasks.some(({ subtasks, acknowledged }) => acknowledged.length < subtasks));
      if (restarts && waiting !== undefined) violate(`checkpoint ${waiting.checkpointId} waits for tasks of job ${jobId}, which restarts`);
      const before = this.#completed.get(master) ?? 0;
      const newest = completed?.checkpointId ?? 0;
      if (newest < before) violate(`checkpoint ${newest} of job ${jobId} is complete after checkpoint ${before}`);
      this.#completed.set(master, newest);
    }
  }
}
