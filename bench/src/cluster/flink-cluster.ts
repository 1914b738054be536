import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { benchFolder } from "../contestants/bench-files.js";
import { runProcess } from "../contestants/run-process.js";
import { freeSlots, until, type BenchCluster } from "./cluster.js";
import { pinToCores } from "./processor-cores.js";

const peer = join(benchFolder, "peers/flink");
export const peerJar: string = join(peer, "target/peer.jar");
const classPath = `${peerJar}:${join(peer, "target/lib/*")}`;
const JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint";
const TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner";

/** What the configuration file of Flink's own distribution says about memory, and nothing else that matters here. */
const DISTRIBUTION = { "jobmanager.memory.process.size": "1600m", "taskmanager.memory.process.size": "1728m" };
/** As the peer's `Bench` is configured: a heap that is never the limit. */
export const THROUGHPUT: FlinkClusterOptions = {
  config: {
    "taskmanager.memory.task.heap.size": "3g", "taskmanager.memory.managed.size": "8m", "taskmanager.memory.network.min": "128m", "taskmanager.memory.network.max": "128m",
    "taskmanager.memory.process.size": "",
  },
  taskManagerJvm: ["-XX:+UseParallelGC"],
};

export interface FlinkClusterOptions {
  /** An empty value removes a default. */
  readonly config?: Readonly<Record<string, string>>;
  readonly taskManagerJvm?: readonly string[];
}

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
}

/** A standalone cluster of Flink, with the memory that its scripts would give it. */
export class FlinkCluster implements BenchCluster {
  readonly directory: string = mkdtempSync(join(tmpdir(), "flink-cluster-"));
  restUrl = "";
  #restPort = 0;
  #jobManager: Running | undefined;
  #taskManagers: Running[] = [];

  static async start(options: FlinkClusterOptions = {}): Promise<FlinkCluster> {
    pinToCores();
    const cluster = new FlinkCluster();
    try {
      await cluster.#start(options);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** The lines that the TaskManagers have printed. */
  printed(): readonly string[] {
    return this.#taskManagers.flatMap(({ output }) => output().split("\n"));
  }

  pids(): readonly number[] {
    return [this.#jobManager!, ...this.#taskManagers].filter(({ child }) => child.exitCode === null && child.signalCode === null).map(({ child }) => child.pid!);
  }

  async busyTaskManager(): Promise<number> {
    const free = await freeSlots(this.restUrl);
    return this.#taskManagers.find((_, index) => free.get(`tm-${index}`) === 0)!.child.pid!;
  }

  /** Runs the peer's client to its end; resolves with the jobs it submitted. */
  async submit(args: readonly string[]): Promise<readonly { readonly jobId: string; readonly submitMs: number }[]> {
    const { stdout } = await runProcess("java", ["@java.args", "-cp", "target/peer.jar:target/lib/*", "dev.millrace.peer.ClusterBench", "--port", String(this.#restPort), ...args], peer);
    return stdout.trim().split("\n").map((line) => JSON.parse(line) as { jobId: string; submitMs: number });
  }

  async stop(): Promise<void> {
    await Promise.all([this.#jobManager, ...this.#taskManagers].map(async (running) => {
      if (running === undefined || running.child.exitCode !== null || running.child.signalCode !== null) return;
      const ended = new Promise((resolve) => running.child.once("close", resolve));
      running.child.kill("SIGKILL");
      await ended;
    }));
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #start({ config = {}, taskManagerJvm = [] }: FlinkClusterOptions): Promise<void> {
    const [restPort, rpcPort] = [await freePort(), await freePort()];
    this.#restPort = restPort;
    this.restUrl = `http://127.0.0.1:${restPort}`;
    const settings = {
      ...DISTRIBUTION, "jobmanager.rpc.address": "127.0.0.1", "jobmanager.rpc.port": String(rpcPort), "jobmanager.bind-host": "127.0.0.1", "rest.address": "127.0.0.1", "rest.port": String(restPort),
      "taskmanager.bind-host": "127.0.0.1", "taskmanager.host": "127.0.0.1", "taskmanager.numberOfTaskSlots": "1", "io.tmp.dirs": join(this.directory, "tmp"), ...config,
    };
    mkdirSync(join(this.directory, "tmp"));
    writeFileSync(join(this.directory, "config.yaml"), Object.entries(settings).filter(([, value]) => value !== "").map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join(""));
    const [forJobManager, forTaskManager] = await Promise.all([this.#resources("GET_JM_RESOURCE_PARAMS"), this.#resources("GET_TM_RESOURCE_PARAMS")]);
    this.#jobManager = this.#spawn([...forJobManager.jvm, "-cp", classPath, JOB_MANAGER, "--configDir", this.directory, ...forJobManager.dynamic]);
    this.#taskManagers = [0, 1].map((index) => this.#spawn([
      ...forTaskManager.jvm, ...taskManagerJvm, "-Dbench.report=true", "-cp", classPath, TASK_MANAGER, "--configDir", this.directory, ...forTaskManager.dynamic, "-D", `taskmanager.resource-id=tm-${index}`,
    ]));
    await until("Flink's TaskManagers are registered", async () => {
      const dead = [this.#jobManager!, ...this.#taskManagers].find(({ child }) => child.exitCode !== null);
      if (dead !== undefined) throw new Error(`a process of Flink ended:\n${dead.output().slice(-4000)}`);
      return (await freeSlots(this.restUrl).catch(() => new Map())).size === 2;
    });
  }

  /** What `bin/jobmanager.sh` and `bin/taskmanager.sh` ask before they start Java. */
  async #resources(command: string): Promise<{ readonly jvm: readonly string[]; readonly dynamic: readonly string[] }> {
    const { stdout } = await runProcess("java", ["-cp", classPath, "org.apache.flink.runtime.util.bash.BashJavaUtils", command, "--configDir", this.directory]);
    const lines = stdout.split("\n").filter((line) => line.startsWith("BASH_JAVA_UTILS_EXEC_RESULT:")).map((line) => line.slice("BASH_JAVA_UTILS_EXEC_RESULT:".length).trim().split(/\s+/));
    return { jvm: lines[0]!, dynamic: lines[1]! };
  }

  #spawn(args: readonly string[]): Running {
    const child = spawn("java", [`@${join(peer, "java.args")}`, ...args], { stdio: ["ignore", "pipe", "pipe"], cwd: this.directory });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    return { child, output: () => output };
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
