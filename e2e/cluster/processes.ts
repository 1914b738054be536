import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ClusterClient, nodeClusterEnv } from "@millrace/cluster/process";
import { freePort } from "../../tools/services/free-port.js";

/** The real binary. */
export const bin = fileURLToPath(new URL("../../packages/millrace/bin/millrace.js", import.meta.url));

/** A process of a cluster. */
export interface ClusterProcess {
  readonly child: ChildProcess;
  /** What it wrote to its standard output and error. */
  output(): string;
  /** Resolves with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** A release of Millrace that a process claims to be. */
export interface Release {
  readonly version: string;
  readonly protocol: number;
}

export interface JobManagerProcess extends ClusterProcess {
  readonly port: number;
  readonly restUrl: string;
}

function definitionsOf(define: Readonly<Record<string, string>>): string[] {
  return Object.entries(define).flatMap(([key, value]) => ["-D", `${key}=${value}`]);
}

/** A cluster of real processes, in a directory of its own that goes with it. */
export class LocalCluster {
  readonly directory: string = mkdtempSync(join(tmpdir(), "millrace-cluster-"));
  /** Of the JobManager; 0 as long as there was none. */
  port = 0;
  /** Where the JobManager serves REST. */
  restUrl = "";
  readonly taskManagers: ClusterProcess[] = [];
  jobManager!: ClusterProcess;
  /** Environment variables of the commands that are run. */
  environment: Readonly<Record<string, string>> = {};
  #define: readonly string[];
  #processes: ClusterProcess[] = [];
  #started = 0;

  /** With nothing in it yet. */
  constructor(define: (directory: string) => Readonly<Record<string, string>>) {
    // A database server that a job starts runs as a user of its own, and has its folder in here.
    chmodSync(this.directory, 0o711);
    this.#define = definitionsOf({ "io.tmp.dirs": this.directory, "rest.port": "0", ...define(this.directory) });
  }

  /** A JobManager and TaskManagers, all ready. @param prepare what they need in the cluster's directory; returns further definitions */
  static async start(
    taskManagers: number, define: Readonly<Record<string, string>> = {}, prepare: (cluster: LocalCluster) => Promise<Readonly<Record<string, string>>> = async () => ({}),
  ): Promise<LocalCluster> {
    const cluster = new LocalCluster(() => define);
    try {
      cluster.#define = [...cluster.#define, ...Object.entries(await prepare(cluster)).flatMap(([key, value]) => ["-D", `${key}=${value}`])];
      await cluster.startJobManager();
      await Promise.all(Array.from({ length: taskManagers }, () => cluster.startTaskManager()));
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** At the port of the one before, if there was one. */
  async startJobManager(): Promise<void> {
    const jobManager = await this.addJobManager(this.port === 0 ? undefined : this.port);
    this.jobManager = jobManager;
    this.port = jobManager.port;
    this.restUrl = jobManager.restUrl;
  }

  /** One of several, for clusters with high availability. Without a port, at one that stays free for the next one when it is killed. */
  async addJobManager(port?: number, release?: Release): Promise<JobManagerProcess> {
    for (;;) {
      try {
        const { process: jobManager, state } = await this.#start("jobmanager", ["-D", `jobmanager.rpc.port=${port ?? (await freePort())}`], release);
        return { ...jobManager, port: state.port!, restUrl: state.restUrl! };
      } catch (error) {
        if (port !== undefined || !(error as Error).message.includes("ADDRESS_IN_USE")) throw error;
      }
    }
  }

  async startTaskManager(define: Readonly<Record<string, string>> = {}, release?: Release): Promise<ClusterProcess> {
    const definitions = definitionsOf(define);
    const { process: taskManager } = await this.#start("taskmanager", ["-D", `jobmanager.rpc.port=${this.port}`, ...definitions], release);
    this.taskManagers.push(taskManager);
    return taskManager;
  }

  /** Runs `millrace` with these arguments to its end. */
  run(...args: readonly string[]): Promise<{ readonly code: number | NodeJS.Signals | null; readonly output: string }> {
    const run = this.spawn(args);
    return run.ended.then((code) => ({ code, output: run.output() }));
  }

  spawn(args: readonly string[], release?: Release): ClusterProcess {
    const asOther = release === undefined ? {} : {
      MILLRACE_TEST_VERSION: release.version, MILLRACE_TEST_PROTOCOL: String(release.protocol), NODE_OPTIONS: `--import=${new URL("./other-release.mjs", import.meta.url).href}`,
    };
    // What a process that is killed leaves behind (the sockets of its slots, say) goes with the cluster's directory.
    const env = { ...process.env, NO_COLOR: "1", TMPDIR: this.directory, ...this.environment, ...asOther };
    const child = spawn(process.execPath, [bin, ...args], { cwd: this.directory, stdio: ["ignore", "pipe", "pipe"], env });
    let output = "";
    const take = (chunk: Buffer): void => void (output += chunk.toString());
    child.stdout!.on("data", take);
    child.stderr!.on("data", take);
    const ended = new Promise<number | NodeJS.Signals | null>((resolve) => child.once("close", (code, signal) => resolve(code ?? signal)));
    const started: ClusterProcess = { child, ended, output: () => output };
    this.#processes.push(started);
    return started;
  }

  client(): Promise<ClusterClient> {
    const env = nodeClusterEnv({ write: () => undefined });
    return ClusterClient.connect({ env, jobManagers: () => [{ host: "127.0.0.1", port: this.port }] });
  }

  /** The arguments with which every process of the cluster is started. */
  get definitions(): readonly string[] {
    return this.#define;
  }

  async stop(): Promise<void> {
    for (const { child } of this.#processes) child.kill("SIGKILL");
    await Promise.all(this.#processes.map(({ ended }) => ended));
    // Those that they have started (slots) end when they hear of it, and write into the directory until then.
    await until(() => !processesWith(`TMPDIR=${this.directory}`).map(kill).includes(true));
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #start(command: string, args: readonly string[], release?: Release): Promise<{ process: ClusterProcess; state: { readonly port?: number; readonly restUrl?: string } }> {
    const readyFile = join(this.directory, `${command}-${this.#started++}.ready`);
    const started = this.spawn([command, "--ready-file", readyFile, ...this.#define, ...args], release);
    let over = false;
    void started.ended.then(() => (over = true));
    await until(() => over || existsSync(readyFile));
    if (!existsSync(readyFile)) throw new Error(`the ${command} ended:\n${started.output()}`);
    return { process: started, state: JSON.parse(readFileSync(readyFile, "utf8")) as { port?: number; restUrl?: string } };
  }
}

/** Resolves once a condition holds. The test runner's own limit ends what never happens. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

export function isRunning({ child }: ClusterProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Whether a JobManager with high availability says that it leads. */
export function leads(jobManager: ClusterProcess): boolean {
  const output = jobManager.output();
  return output.lastIndexOf(" leads, at ") > output.lastIndexOf("no longer leads");
}

/** Whether a process runs. (Linux.) */
export function isAlive(pid: number): boolean {
  return commandOf(pid) !== "";
}

/** Kills a process. @returns whether it was there */
export function kill(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    return false;
  }
}

/** Processes that run with such an environment variable; none where it cannot be seen. (Linux.) */
function processesWith(variable: string): number[] {
  if (!existsSync("/proc/self")) return [];
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
  return all.filter((pid) => pid !== process.pid && contentOf(`/proc/${pid}/environ`).split("\0").includes(variable));
}

/** Ports that a process, and nobody else, listens on. (Linux.) */
export function listeningPorts(pid: number): number[] {
  const own = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1]));
  // The table is the whole machine's.
  const sockets = readFileSync(`/proc/${pid}/net/tcp`, "utf8").split("\n").slice(1).map((line) => line.trim().split(/\s+/));
  return sockets.filter((fields) => fields[3] === "0A" && own.has(fields[9])).map((fields) => Number.parseInt(fields[1]!.split(":")[1]!, 16));
}

/** Of one that has been closed meanwhile it is empty. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** The slots of a TaskManager whose slots are processes. (Linux.) */
export function slotProcesses(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  return children.filter((child) => /slot(-entry)?\.m?js/.test(commandOf(child)));
}

/** Of a process that has ended, and that nobody has asked about, it is empty. */
function commandOf(pid: number): string {
  return contentOf(`/proc/${pid}/cmdline`);
}

/** Empty where it cannot be read. */
function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
