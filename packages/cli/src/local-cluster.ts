import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { chmod, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { JOBMANAGER_RPC_ADDRESS, JOBMANAGER_BIND_HOST, LOG_DIRECTORY, MillraceError } from "@millrace/core";
import { exitCodes } from "./exit-codes.js";
import { processConfig, type ConfigRequest } from "./process-config.js";

export interface StartClusterRequest extends ConfigRequest {
  readonly taskManagers: number;
  readonly directory: string | undefined;
}

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 30;
/** Lines of its log that are shown of a process that did not start. */
const SHOWN_LINES = 15;
const mainFile = fileURLToPath(new URL("./main.js", import.meta.url));

/** `millrace start-cluster`: a JobManager and TaskManagers on this machine, in the background; returns when all are ready. */
export async function startClusterCommand(request: StartClusterRequest): Promise<number> {
  const config = await processConfig(request);
  const directory = await clusterDirectory(request.directory);
  const running = (await pidFiles(directory)).filter(({ pid }) => isMillrace(pid));
  if (running.length > 0) {
    throw new MillraceError({ code: "CLUSTER_RUNNING", message: `a cluster runs already: ${running.map(({ name, pid }) => `${name} (process ${pid})`).join(", ")}`, hint: "millrace stop-cluster ends it; --dir names another place for a second one" });
  }
  await removeStateFiles(directory);
  const logDirectory = config.get(LOG_DIRECTORY) ?? directory;
  request = { ...request, define: { ...request.define, [LOG_DIRECTORY.key]: logDirectory } };
  try {
    const { port, restUrl } = await startProcess(directory, "jobmanager", "jobmanager", request);
    const host = config.get(config.has(JOBMANAGER_RPC_ADDRESS) ? JOBMANAGER_RPC_ADDRESS : JOBMANAGER_BIND_HOST);
    process.stdout.write(`JobManager at ${host}:${port}\nREST API: ${restUrl}\n`);
    const ofTaskManagers = { ...request, define: { ...request.define, "jobmanager.rpc.port": String(port) } };
    await Promise.all(Array.from({ length: request.taskManagers }, async (_, at) => {
      const { slots } = await startProcess(directory, `taskmanager-${at + 1}`, "taskmanager", ofTaskManagers);
      process.stdout.write(`TaskManager ${at + 1} with ${slots} slot${slots === 1 ? "" : "s"}\n`);
    }));
    process.stdout.write(`${logDirectory === directory ? "logs and process ids are" : `logs are in ${logDirectory}, process ids`} in ${directory}\nrun a job with: millrace run -m ${host}:${port} JOB\n`);
    return exitCodes.finished;
  } catch (error) {
    await stopAll(directory);
    throw error;
  }
}

/** `millrace stop-cluster` */
export async function stopClusterCommand(request: { readonly directory: string | undefined }): Promise<number> {
  const directory = await clusterDirectory(request.directory);
  const stopped = await stopAll(directory);
  process.stdout.write(stopped.length === 0 ? `no cluster runs from ${directory}\n` : `stopped ${stopped.join(", ")}\n`);
  return exitCodes.finished;
}

/** A directory of this user alone: what stands in its files is obeyed. */
async function clusterDirectory(given: string | undefined): Promise<string> {
  const directory = given === undefined ? join(tmpdir(), `millrace-cluster-${userInfo().username}`) : resolve(given);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { uid } = await stat(directory);
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw new MillraceError({ code: "FILE_ACCESS_DENIED", message: `"${directory}" belongs to another user`, hint: "--dir names another directory" });
  }
  await chmod(directory, 0o700);
  return directory;
}

async function startProcess(directory: string, name: string, command: string, { define, configDir }: ConfigRequest): Promise<{ readonly port?: number; readonly restUrl?: string; readonly slots?: number }> {
  const readyFile = join(directory, `${name}.ready`);
  // What the process writes beside its log files: why it could not begin.
  const errorFile = join(directory, `${name}.err`);
  const logFile = join(define[LOG_DIRECTORY.key]!, `${name}.log`);
  const errors = openSync(errorFile, "w", 0o600);
  const definitions = Object.entries(define).flatMap(([key, value]) => ["-D", `${key}=${value}`]);
  const child = spawn(process.execPath, [mainFile, command, "--ready-file", readyFile, "--log-name", name, ...(configDir === undefined ? [] : ["--configDir", configDir]), ...definitions], {
    detached: true, stdio: ["ignore", errors, errors],
  });
  closeSync(errors);
  let ended = false;
  child.once("exit", () => (ended = true));
  child.once("error", () => (ended = true));
  child.unref();
  if (child.pid !== undefined) await writeFile(join(directory, `${name}.pid`), String(child.pid), { mode: 0o600 });
  const until = Date.now() + READY_TIMEOUT_MS;
  while (!existsSync(readyFile)) {
    if (ended || Date.now() > until) {
      const shown = [logFile, errorFile].map((file) => (existsSync(file) ? readFileSync(file, "utf8") : "")).join("").trimEnd().split("\n").slice(-SHOWN_LINES).join("\n");
      throw new MillraceError({ code: "PROCESS_NOT_STARTED", message: `the ${name} ${ended ? "ended at once" : `was not ready after ${READY_TIMEOUT_MS / 1000} s`}; its log says:\n${shown}` });
    }
    await pause(POLL_MS);
  }
  return JSON.parse(readFileSync(readyFile, "utf8")) as { port?: number; restUrl?: string; slots?: number };
}

interface PidFile {
  readonly name: string;
  readonly pid: number;
}

async function pidFiles(directory: string): Promise<PidFile[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith(".pid")).sort();
  return files.map((file) => ({ name: file.slice(0, -4), pid: Number(readFileSync(join(directory, file), "utf8")) })).filter(({ pid }) => Number.isSafeInteger(pid) && pid > 1);
}

/** TaskManagers are told first, so that none of them looks for a JobManager that has gone. */
async function stopAll(directory: string): Promise<string[]> {
  const running = (await pidFiles(directory)).filter(({ pid }) => isMillrace(pid)).reverse();
  for (const { pid } of running) signal(pid, "SIGTERM");
  const until = Date.now() + STOP_TIMEOUT_MS;
  while (running.some(({ pid }) => isMillrace(pid)) && Date.now() < until) await pause(POLL_MS);
  for (const { pid } of running) if (isMillrace(pid)) signal(pid, "SIGKILL");
  await removeStateFiles(directory);
  return running.map(({ name }) => name);
}

async function removeStateFiles(directory: string): Promise<void> {
  const files = (await readdir(directory)).filter((name) => name.endsWith(".pid") || name.endsWith(".ready"));
  await Promise.all(files.map((name) => rm(join(directory, name), { force: true })));
}

/** Whether this process runs, and is one that was started here: a process id may have gone to something else since. */
function isMillrace(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // A process that has ended, and that nobody has asked about yet, has an empty command line.
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(mainFile);
  } catch {
    return !existsSync("/proc/self");
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
