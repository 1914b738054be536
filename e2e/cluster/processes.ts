import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ClusterClient, nodeClusterEnv } from "@millrace/cluster/process";

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

/** A cluster of real processes, in a directory of its own that goes with it. */
export class LocalCluster {
  readonly directory: string = mkdtempSync(join(tmpdir(), "millrace-cluster-"));
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

  private constructor(define: Readonly<Record<string, string>>) {
    this.#define = Object.entries({ "io.tmp.dirs": this.directory, "rest.port": "0", ...define }).flatMap(([key, value]) => ["-D", `${key}=${value}`]);
  }

  /** A JobManager and TaskManagers, all ready. @param prepare what they need in the cluster's directory; returns further definitions */
  static async start(
    taskManagers: number, define: Readonly<Record<string, string>> = {}, prepare: (cluster: LocalCluster) => Promise<Readonly<Record<string, string>>> = async () => ({}),
  ): Promise<LocalCluster> {
    const cluster = new LocalCluster(define);
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
    const { process: jobManager, state } = await this.#start("jobmanager", ["-D", `jobmanager.rpc.port=${this.port}`]);
    this.jobManager = jobManager;
    this.port = state.port!;
    this.restUrl = state.restUrl!;
  }

  async startTaskManager(define: Readonly<Record<string, string>> = {}): Promise<ClusterProcess> {
    const definitions = Object.entries(define).flatMap(([key, value]) => ["-D", `${key}=${value}`]);
    const { process: taskManager } = await this.#start("taskmanager", ["-D", `jobmanager.rpc.port=${this.port}`, ...definitions]);
    this.taskManagers.push(taskManager);
    return taskManager;
  }

  /** Runs `millrace` with these arguments to its end. */
  run(...args: readonly string[]): Promise<{ readonly code: number | NodeJS.Signals | null; readonly output: string }> {
    const run = this.spawn(args);
    return run.ended.then((code) => ({ code, output: run.output() }));
  }

  spawn(args: readonly string[]): ClusterProcess {
    const child = spawn(process.execPath, [bin, ...args], { cwd: this.directory, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1", ...this.environment } });
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
    return ClusterClient.connect({ env, host: "127.0.0.1", port: this.port });
  }

  async stop(): Promise<void> {
    for (const { child } of this.#processes) child.kill("SIGKILL");
    await Promise.all(this.#processes.map(({ ended }) => ended));
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #start(command: string, args: readonly string[]): Promise<{ process: ClusterProcess; state: { readonly port?: number; readonly restUrl?: string } }> {
    const readyFile = join(this.directory, `${command}-${this.#started++}.ready`);
    const started = this.spawn([command, "--ready-file", readyFile, ...this.#define, ...args]);
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

/** Whether a process runs. (Linux.) */
export function isAlive(pid: number): boolean {
  return commandOf(pid) !== "";
}

/** The slots of a TaskManager whose slots are processes. (Linux.) */
export function slotProcesses(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  return children.filter((child) => /slot(-entry)?\.m?js/.test(commandOf(child)));
}

/** Of a process that has ended, and that nobody has asked about, it is empty. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
