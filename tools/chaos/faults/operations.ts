import { SLOTS_PER_TASK_MANAGER } from "../world/world.js";
import { Interrupted, within } from "../world/waiting.js";
import type { Fault, FaultContext, FaultName } from "./fault.js";

/** What people do to a job that runs, whatever else happens to it. It may be refused, and it may fail: never with harm. */
function operation(name: FaultName, limitMs: number, act: (context: FaultContext) => Promise<string>): Fault {
  let isBusy = false;
  return {
    name, applies: () => true,
    async strike(context) {
      const { job, journal, signal } = context;
      if (isBusy || job.status !== "RUNNING") return;
      isBusy = true;
      try {
        const what = await within(limitMs, name, signal, act(context));
        journal.strike(name, what);
      } catch (error) {
        if (error instanceof Interrupted) throw error;
        journal.note(`${name} failed: ${(error as Error).message}`);
      } finally {
        isBusy = false;
      }
    },
  };
}

/** Made for each run. */
export function operations(): readonly Fault[] {
  return [
    operation("savepoint", 60_000, async ({ job, world }) => (await job.savepoint()).slice(world.disk.path.length + 1)),
    operation("rescale", 30_000, async ({ job, random, world }) => {
      const parallelism = 1 + Math.floor(random() * world.taskManagers.length * SLOTS_PER_TASK_MANAGER);
      await job.rescale(parallelism);
      return `to ${parallelism}`;
    }),
    operation("stop-and-resume", 180_000, async ({ job }) => {
      await job.stopAndResume();
      return "stopped with a savepoint, to go on from there";
    }),
  ];
}
