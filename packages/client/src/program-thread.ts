import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
// Not the whole package: commands start a thread before they load anything of the library.
import { ModuleGate } from "@millrace/graph/module-gate";
import type { ProgramStart, ProgramThreadData, ProgramWaits } from "./program-protocol.js";

/** The thread of a program, which may be told later what it runs. */
export class ProgramThread {
  readonly worker: Worker;
  readonly #gate = new ModuleGate();

  constructor(entryUrl: string, start: ProgramStart | ProgramWaits) {
    const workerData: ProgramThreadData = { start, gate: this.#gate.shared };
    this.worker = new Worker(new URL(entryUrl), { workerData, execArgv: [], name: "millrace program" });
  }

  async terminate(): Promise<void> {
    await this.#gate.close(setTimeout);
    await this.worker.terminate();
  }
}
