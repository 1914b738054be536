import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import type { ServerAccount } from "./server-account.js";
import type { ServerProcess } from "./server-process.js";
import type { Startable } from "./start-on-free-port.js";

/** A server of one process on a port of the loopback, with its data in a temporary folder. */
export class PrivateServer implements Startable {
  readonly port: number;
  /** To kill, pause and start again on the same data. */
  readonly process: ServerProcess;
  readonly #directory: string;

  constructor(directory: string, port: number, process: ServerProcess) {
    this.#directory = directory;
    this.port = port;
    this.process = process;
  }

  start(): Promise<void> {
    return this.process.start();
  }

  /** Ends it like a crash; data stays. */
  kill(): Promise<void> {
    return this.process.stop();
  }

  /** Stops it in its tracks, connections open; it goes on with `resume`. */
  pause(): void {
    this.process.pause();
  }

  resume(): void {
    this.process.resume();
  }

  /** Kills it and deletes its data. @param signal what ends it with all its children */
  async remove(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.process.stop(signal);
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** Runs a command that prepares a server's data. @throws with what it said when it fails */
export function prepareData(account: ServerAccount, directory: string, command: string, args: readonly string[], input: string = ""): void {
  const { status, stdout, stderr } = spawnSync(command, args, { ...account, cwd: directory, encoding: "utf8", input });
  if (status !== 0) throw new Error(`${command}: ${stdout}${stderr}`);
}
