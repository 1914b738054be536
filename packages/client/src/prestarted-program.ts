import { ProgramThread } from "./program-thread.js";

/** A worker thread that waits for a program. */
export interface PrestartedProgram {
  readonly entryUrl: string;
}

/** Where the thread is kept: known to all copies of this package, of which a bundled command has its own, and not part of the type, which needs none of Node's. */
const THREAD = Symbol.for("millrace.prestarted-program");

interface WithThread extends PrestartedProgram {
  [THREAD]?: ProgramThread | undefined;
}

/**
 * Starts a thread while it is still being found out what it is to run. One that fails meanwhile is as if it had not been started.
 * @param preloadUrl what it will import, loaded while it waits
 */
export function prestartProgram(entryUrl: string, preloadUrl: string): PrestartedProgram {
  const thread = new ProgramThread(entryUrl, { preloadUrl });
  const prestarted: WithThread = { entryUrl, [THREAD]: thread };
  thread.worker.unref();
  thread.worker.on("error", () => (prestarted[THREAD] = undefined));
  return prestarted;
}

/** The thread, a `ProgramThread`, if it has not failed. Its type is not said, for users of the types have none of Node's. */
export function threadOf(prestarted: PrestartedProgram | undefined): object | undefined {
  return (prestarted as WithThread | undefined)?.[THREAD];
}

/** Ends a thread that is not needed after all. */
export function endPrestarted(prestarted: PrestartedProgram | undefined): void {
  void (threadOf(prestarted) as ProgramThread | undefined)?.terminate();
}
