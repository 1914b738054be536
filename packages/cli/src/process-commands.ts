import { rename, writeFile } from "node:fs/promises";
import { TASKMANAGER_SLOTS, WEB_SUBMIT, type Configuration, type MillraceError } from "@millrace/core";
import { openProcessLogging, startJobManager, startTaskManager, type ProcessLogging } from "@millrace/cluster/process";
import { exitCodes } from "./exit-codes.js";
import { libraryEntries } from "./library-entries.js";
import { processConfig, type ConfigRequest } from "./process-config.js";
import { renderError } from "./render-error.js";

export interface ProcessRequest extends ConfigRequest {
  /** Written once the process is ready, as JSON: its process id; the port and the REST server of a JobManager; the slots of a TaskManager. */
  readonly readyFile?: string;
  /** Base name of its log files, for a process in the background: it writes nothing else. */
  readonly logName?: string;
}

/** `millrace jobmanager`: runs until it is told to stop. With high availability it leaves its jobs to the next leader, unless the whole cluster is shut down. */
export async function jobManagerCommand(request: ProcessRequest): Promise<number> {
  let end!: (why: "shutdown" | "signal" | Error) => void;
  const ending = new Promise<"shutdown" | "signal" | Error>((resolve) => (end = resolve));
  const config = await processConfig(request);
  const { log, files } = logging(config, "jobmanager", request);
  const planner = config.get(WEB_SUBMIT) ? await (await import("./bundle-planner.js")).bundlePlanner() : undefined;
  const { port, restUrl, stop } = await startJobManager(config, { log, logs: files, planner, onShutDown: () => end("shutdown"), fatal: end });
  await announce(request.readyFile, { pid: process.pid, port, restUrl });
  void stopSignal().then(() => end("signal"));
  const why = await ending;
  log.write("info", "stopping");
  await stop({ cancelJobs: why === "shutdown" });
  return why instanceof Error ? exitCodes.failed : exitCodes.finished;
}

/** `millrace taskmanager`: runs until it is told to stop, or cannot go on. */
export async function taskManagerCommand(request: ProcessRequest): Promise<number> {
  const config = await processConfig(request);
  const { log, files } = logging(config, "taskmanager", request);
  const { buildLibraryBundle, findLibraryBundle } = await import("@millrace/client");
  const entries = await libraryEntries();
  const library = entries === undefined ? undefined : (findLibraryBundle(entries) ?? (await buildLibraryBundle(entries)));
  let stop!: (error: MillraceError | undefined) => void;
  const stopped = new Promise<MillraceError | undefined>((resolve) => (stop = resolve));
  const taskManager = await startTaskManager({
    config, library, libraryUrl: entries?.millrace ?? "", log, logs: files, fatal: stop,
    onRegistered: () => void announce(request.readyFile, { pid: process.pid, slots: config.get(TASKMANAGER_SLOTS) }),
  });
  void stopSignal().then(() => stop(undefined));
  const error = await stopped;
  if (error !== undefined) {
    process.stderr.write(`${renderError(error, false)}\n`);
    // Whatever does not stop ends with the process.
    process.exit(exitCodes.failed);
  }
  log.write("info", "stopping");
  await taskManager.stop();
  return exitCodes.finished;
}

function logging(config: Configuration, kind: string, { logName }: ProcessRequest): ProcessLogging {
  return openProcessLogging(config, { kind, name: logName, background: logName !== undefined });
}

/** Resolves at the first SIGTERM or SIGINT; the second ends the process at once. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (): void => {
      if (stopping) process.exit(exitCodes.cancelled);
      stopping = true;
      resolve();
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
}

async function announce(file: string | undefined, state: Readonly<Record<string, number | string>>): Promise<void> {
  if (file === undefined) return;
  await writeFile(`${file}.new`, JSON.stringify(state));
  await rename(`${file}.new`, file);
}
