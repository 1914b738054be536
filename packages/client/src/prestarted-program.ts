import { Worker } from "node:worker_threads";
import type { ProgramWaits } from "./program-protocol.js";

/** A worker thread that waits for a program. */
export interface PrestartedProgram {
  readonly entryUrl: string;
}

/** Where the thread is kept: known to all copies of this package, of which a bundled command has its own, and not part of the type, which needs none of Node's. */
const WORKER = Symbol.for("millrace.prestarted-program");

interface WithWorker extends PrestartedProgram {
  [WORKER]?: Worker | undefined;
}

/**
 * Starts a thread while it is still being found out what it is to run. One that fails meanwhile is as if it had not been started.
 * @param preloadUrl what it will import, loaded while it waits
 */
export function prestartProgram(entryUrl: string, preloadUrl: string): PrestartedProgram {
  const worker = new Worker(new URL(entryUrl), { workerData: { preloadUrl } satisfies ProgramWaits, execArgv: [], name: "millrace program" });
  const prestarted: WithWorker = { entryUrl, [WORKER]: worker };
  worker.unref();
  worker.on("error", () => (prestarted[WORKER] = undefined));
  return prestarted;
}

/** The thread, a `Worker`, if it has not failed. Its type is not said, for users of the types have none of Node's. */
export function workerOf(prestarted: PrestartedProgram | undefined): object | undefined {
  return threadOf(prestarted);
}

function threadOf(prestarted: PrestartedProgram | undefined): Worker | undefined {
  return (prestarted as WithWorker | undefined)?.[WORKER];
}

/** Ends a thread that is not needed after all. */
export function endPrestarted(prestarted: PrestartedProgram | undefined): void {
  void threadOf(prestarted)?.terminate();
}
