import { isRunning, leads, type ClusterProcess, type LocalCluster } from "../../../e2e/cluster/processes.js";
import type { Journal } from "../report/journal.js";

export interface MemberInit {
  readonly name: string;
  readonly command: "jobmanager" | "taskmanager";
  readonly define: Readonly<Record<string, string>>;
  readonly cluster: LocalCluster;
  readonly journal: Journal;
}

const RESTART_AFTER_MS = 1000;
const STOP_LIMIT_MS = 30_000;

/** A process of the cluster that is killed, paused and started again, and that is started again when it ends by itself, as process managers do. */
export class Member {
  readonly name: string;
  readonly command: MemberInit["command"];
  readonly #init: MemberInit;
  readonly #processes: ClusterProcess[] = [];
  #isWanted = false;
  /** A fault has it now; others leave it alone. */
  isStruck = false;

  constructor(init: MemberInit) {
    this.name = init.name;
    this.command = init.command;
    this.#init = init;
  }

  /** Starts it unless it runs. Resolves at once. */
  start(): void {
    this.#isWanted = true;
    if (this.isRunning) return;
    const { cluster, command, define, journal } = this.#init;
    const started = cluster.spawn([command, ...cluster.definitions, ...Object.entries(define).flatMap(([key, value]) => ["-D", `${key}=${value}`])]);
    this.#processes.push(started);
    void started.ended.then((code) => {
      if (!this.#isWanted || this.#current !== started) return;
      journal.endedByItself(this.name, code);
      setTimeout(() => this.#isWanted && this.start(), RESTART_AFTER_MS);
    });
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** In order, as process managers do it: asked first, and killed when it takes its time. */
  async stop(): Promise<void> {
    const late = setTimeout(() => void this.kill(), STOP_LIMIT_MS);
    await this.#end("SIGTERM");
    clearTimeout(late);
  }

  pause(): void {
    this.#current?.child.kill("SIGSTOP");
  }

  resume(): void {
    this.#current?.child.kill("SIGCONT");
  }

  get isRunning(): boolean {
    return this.#current !== undefined && isRunning(this.#current);
  }

  get pid(): number | undefined {
    return this.isRunning ? this.#current!.child.pid : undefined;
  }

  /** A JobManager that says it leads. One that is paused may be wrong. */
  get leads(): boolean {
    return this.isRunning && leads(this.#current!);
  }

  /** How often a process of this name was elected. */
  get elections(): number {
    return this.#processes.reduce((sum, process) => sum + process.output().split(" leads, at ").length - 1, 0);
  }

  /** All it has said, in all its lives. */
  get output(): string {
    return this.#processes.map((process, life) => `----- life ${life + 1}, process ${process.child.pid}\n${process.output()}`).join("\n");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#isWanted = false;
    const current = this.#current;
    current?.child.kill(signal);
    await current?.ended;
  }

  get #current(): ClusterProcess | undefined {
    return this.#processes.at(-1);
  }
}
