import { ArtifactCache, JobManager, TaskManager } from "@millrace/cluster";
import { Configuration, clusterOptions } from "@millrace/core";
import { SimulatedDisk, SimulatedNetwork, SimulatedProcess, type Death, type Simulation, type World } from "@millrace/env-sim";
import type { Pipeline } from "@millrace/graph";
import type { CreditLedger } from "./credit-ledger.js";
import { SimulatedSlotHost } from "./simulated-slot-host.js";

export const JOB_MANAGER_HOST = "jm";
export const JOB_MANAGER_PORT = 6123;

export interface ClusterInit {
  readonly simulation: Simulation;
  /** Number of slots of each TaskManager. */
  readonly taskManagers: readonly number[];
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly evenly: boolean;
  readonly build: (artifact: string, thread: SimulatedProcess) => Pipeline;
  readonly ledger: CreditLedger;
  readonly violate: (what: string) => void;
}

/** A TaskManager that runs now. */
interface RunningTaskManager {
  readonly process: SimulatedProcess;
  readonly slots: SimulatedSlotHost;
}

/** A JobManager and TaskManagers, each in a process of its own on its own host, started again by somebody who watches them. */
export class SimulatedCluster implements World {
  readonly simulation: Simulation;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  jobManager: JobManager | undefined;
  jobManagerProcess: SimulatedProcess | undefined;
  readonly taskManagers: (RunningTaskManager | undefined)[];
  readonly #init: ClusterInit;
  readonly #config: Configuration;
  /** Number of slots of each TaskManager. */
  readonly #slots: number[];
  #incarnations = 0;
  #restarts = true;

  constructor(init: ClusterInit) {
    this.#init = init;
    this.simulation = init.simulation;
    this.network = new SimulatedNetwork(init.simulation);
    this.disk = new SimulatedDisk(init.simulation);
    this.#slots = [...init.taskManagers];
    this.taskManagers = init.taskManagers.map(() => undefined);
    this.#config = Configuration.of({
      "jobmanager.rpc.port": JOB_MANAGER_PORT, "heartbeat.interval": init.heartbeat.intervalMs, "heartbeat.timeout": init.heartbeat.timeoutMs,
      "cluster.evenly-spread-out-slots": init.evenly,
    }, clusterOptions);
  }

  get hosts(): readonly string[] {
    return [JOB_MANAGER_HOST, ...this.taskManagers.map((_, index) => taskManagerHost(index))];
  }

  start(): void {
    this.#startJobManager();
    this.taskManagers.forEach((_, index) => this.#startTaskManager(index));
  }

  /** Nobody is started again from now on. */
  stop(): void {
    this.#restarts = false;
    this.jobManagerProcess?.kill("killed");
    for (const taskManager of this.taskManagers) taskManager?.process.kill("killed");
  }

  processOn(host: string): SimulatedProcess | undefined {
    return host === JOB_MANAGER_HOST ? this.jobManagerProcess : this.taskManagers[Number(host.slice(2))]?.process;
  }

  /** Ends what runs on a host; it is started again after `downMs`. */
  kill(host: string, death: Death, downMs: number): void {
    const process = this.processOn(host);
    if (process === undefined) return;
    process.kill(death);
    if (death === "power loss") {
      this.network.setUp(host, false);
      this.disk.losePower(host);
    }
    if (host === JOB_MANAGER_HOST) this.jobManager = this.jobManagerProcess = undefined;
    else this.taskManagers[Number(host.slice(2))] = undefined;
    this.simulation.schedule(downMs * 1000, () => {
      this.network.setUp(host, true);
      if (!this.#restarts) return;
      if (host === JOB_MANAGER_HOST) this.#startJobManager();
      else this.#startTaskManager(Number(host.slice(2)));
    });
  }

  /** A host loses its power for good; a TaskManager on another host takes its place after `downMs`. */
  replace(host: string, downMs: number): void {
    const index = Number(host.slice(2));
    this.taskManagers[index]!.process.kill("power loss");
    this.taskManagers[index] = undefined;
    this.network.setUp(host, false);
    this.disk.losePower(host);
    const successor = this.taskManagers.push(undefined) - 1;
    this.#slots.push(this.#slots[index]!);
    this.simulation.schedule(downMs * 1000, () => {
      if (this.#restarts) this.#startTaskManager(successor);
    });
  }

  #startJobManager(): void {
    const process = new SimulatedProcess(this, `jm#${this.#incarnations++}`, JOB_MANAGER_HOST);
    this.jobManagerProcess = process;
    process.run(() => {
      const { env } = process;
      JobManager.start({ env, config: this.#config, directory: "/jobmanager", fencingToken: env.randomHex(16) }).then((jobManager) => {
        if (this.jobManagerProcess === process) this.jobManager = jobManager;
      }, (error: unknown) => this.#init.violate(`the JobManager does not start: ${String(error)}`));
    });
  }

  #startTaskManager(index: number): void {
    const { heartbeat, build, ledger } = this.#init;
    const host = taskManagerHost(index);
    const incarnation = this.#incarnations++;
    const process = new SimulatedProcess(this, `${host}#${incarnation}`, host);
    const slots = new SimulatedSlotHost({ process, build, ledger });
    this.taskManagers[index] = { process, slots };
    process.run(() => {
      const { env } = process;
      const directory = `/local/${host}/${incarnation}`;
      const numberOfSlots = this.#slots[index]!;
      const taskManager = new TaskManager({
        env, slots, artifacts: new ArtifactCache(env, directory, "library"), temporaryDirectory: `${directory}/slots`,
        about: { taskManagerId: host, host, numberOfSlots, processId: incarnation, hardware: { cpuCores: 1, physicalMemoryBytes: 1e9, heapBytes: 1e9 } },
        findJobManager: async () => ({ host: JOB_MANAGER_HOST, port: JOB_MANAGER_PORT }),
        registrationTimeoutMs: 20 * heartbeat.timeoutMs,
        fatal: (error) => {
          this.simulation.note(`${host} gives up: ${error.message}`);
          this.simulation.schedule(0, () => {
            if (process.alive) this.kill(host, "killed", 200);
          });
        },
      });
      taskManager.start();
    });
  }
}

export function taskManagerHost(index: number): string {
  return `tm${index}`;
}
