import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
// Not the whole package: commands start a thread before they load anything of the library.
import { ModuleGate } from "@millrace/graph/module-gate";
import type { ProgramStart, ProgramThreadData, ProgramWaits } from "./program-protocol.js";

/** How long a thread is left alone that loads its job's module. */
const LOADING_LIMIT_MS = 1000;

/** The thread of a program, which may be told later what it runs. */
export class ProgramThread {
  readonly worker: Worker;
  readonly #gate = new ModuleGate();

  constructor(entryUrl: string, start: ProgramStart | ProgramWaits) {
    const workerData: ProgramThreadData = { start, gate: this.#gate.shared };
    this.worker = new Worker(new URL(entryUrl), { workerData, execArgv: [], name: "millrace program" });
  }

  async terminate(): Promise<void> {
    await this.#gate.close(LOADING_LIMIT_MS, setTimeout);
    await this.worker.terminate();
  }
}
