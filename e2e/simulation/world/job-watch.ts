import type { Simulation } from "@millrace/env-sim";
import type { SimulatedCluster } from "./cluster.js";

const LOOK_EVERY_US = 7_000;

/** Looks at the jobs of the leader from time to time: while one restarts, none of its checkpoints waits for tasks that are no more. */
export class JobWatch {
  readonly #simulation: Simulation;
  readonly #cluster: SimulatedCluster;
  readonly #violate: (what: string) => void;

  constructor(simulation: Simulation, cluster: SimulatedCluster, violate: (what: string) => void) {
    this.#simulation = simulation;
    this.#cluster = cluster;
    this.#violate = violate;
  }

  start(): void {
    this.#simulation.schedule(LOOK_EVERY_US, () => {
      this.#look();
      this.start();
    });
  }

  #look(): void {
    const dispatcher = this.#cluster.leader?.dispatcher;
    for (const { jobId, status } of dispatcher?.list() ?? []) {
      if (status !== "RESTARTING") continue;
      const { checkpoints } = dispatcher!.job(jobId).master.view();
      // One that all have acknowledged may be on its way into the store.
      const waiting = checkpoints.history.find(({ status: one, tasks }) => one === "IN_PROGRESS" && tasks.some(({ subtasks, acknowledged }) => acknowledged.length < subtasks));
      if (waiting !== undefined) this.#violate(`checkpoint ${waiting.checkpointId} waits for tasks of job ${jobId}, which restarts`);
    }
  }
}
