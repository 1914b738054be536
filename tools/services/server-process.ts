import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";

export interface ServerProcessOptions {
  /** What messages call it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly spawn?: SpawnOptions;
  /** Whether it answers; asked again and again after the start. */
  readonly ready: () => Promise<boolean>;
}

const START_LIMIT_MS = 120_000;
const KEPT_OUTPUT = 8000;

/** The process of a server that tests start, kill, pause and start again on the same data. It never outlives this process by more than its own clean-up. */
export class ServerProcess {
  readonly #options: ServerProcessOptions;
  #child: ChildProcess | undefined;
  #output = "";

  constructor(options: ServerProcessOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The end of what it printed. */
  get output(): string {
    return this.#output;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Resolves when it answers. @throws with what it printed when it ends before, or does not answer in two minutes */
  async start(): Promise<void> {
    const { name, command, args, ready } = this.#options;
    if (this.isRunning) throw new Error(`${name} runs already`);
    this.#output = "";
    const child = spawn(command, args, { ...this.#options.spawn, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    let failure: Error | undefined;
    child.once("error", (error) => (failure = error));
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (data: Buffer) => (this.#output = (this.#output + String(data)).slice(-KEPT_OUTPUT)));
    process.once("exit", this.#killAtExit);
    const limit = Date.now() + START_LIMIT_MS;
    // Somebody else may answer at its port: then it has ended, or is about to.
    while (!(await ready()) || !this.isRunning) {
      if (failure !== undefined || !this.isRunning || Date.now() > limit) {
        await this.stop();
        throw new Error(`${name} did not start: ${failure?.message ?? this.#output}`, { cause: failure });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends the process: like a crash by default, in its own good time with `SIGTERM`. Data stays. */
  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    process.removeListener("exit", this.#killAtExit);
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGCONT");
    child.kill(signal);
    await ended;
  }

  /** Stops it in its tracks, connections open; it goes on with `resume`. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  readonly #killAtExit = (): void => void this.#child?.kill("SIGKILL");
}
