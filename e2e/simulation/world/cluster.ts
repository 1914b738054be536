import { ArtifactCache, RPC_COMPONENT, TaskManager, parseAddress, type JobManager, type JobManagerLocation } from "@millrace/cluster";
import { SimulatedDisk, SimulatedNetwork, SimulatedProcess, type Death, type Simulation, type World } from "@millrace/env-sim";
import { MillraceError } from "@millrace/core";
import type { Pipeline } from "@millrace/graph";
import type { CommitLedger } from "./commit-ledger.js";
import type { CreditLedger } from "./credit-ledger.js";
import { SimulatedHighAvailability, type HighAvailabilitySpec } from "./high-availability.js";
import { JOB_MANAGER_PORT, SimulatedJobManagers, jobManagerHost } from "./job-managers.js";
import { SimulatedSlotHost } from "./simulated-slot-host.js";

/** What a cluster consists of. */
export interface ClusterSpec {
  readonly jobManagers: number;
  readonly highAvailability: HighAvailabilitySpec;
  /** Number of slots of each TaskManager. */
  readonly taskManagers: readonly number[];
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly evenly: boolean;
}

export interface ClusterInit {
  readonly simulation: Simulation;
  readonly spec: ClusterSpec;
  readonly build: (artifact: string, thread: SimulatedProcess) => Pipeline;
  readonly credits: CreditLedger;
  readonly commits: CommitLedger;
  readonly violate: (what: string) => void;
}

/** A TaskManager that runs now. */
interface RunningTaskManager {
  readonly process: SimulatedProcess;
  readonly slots: SimulatedSlotHost;
  taskManager?: TaskManager;
}

const FATAL_DOWN_MS = 200;

/** JobManagers and TaskManagers, each in a process of its own on its own host, started again by somebody who watches them. */
export class SimulatedCluster implements World {
  readonly simulation: Simulation;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  readonly highAvailability: SimulatedHighAvailability;
  readonly jobManagers: SimulatedJobManagers;
  readonly taskManagers: (RunningTaskManager | undefined)[];
  readonly #init: ClusterInit;
  /** Number of slots of each TaskManager. */
  readonly #slots: number[];
  #incarnations = 0;
  #restarts = true;

  constructor(init: ClusterInit) {
    const { simulation, spec, commits, violate } = init;
    this.#init = init;
    this.simulation = simulation;
    this.network = new SimulatedNetwork(simulation);
    this.disk = new SimulatedDisk(simulation);
    this.highAvailability = new SimulatedHighAvailability(spec.highAvailability, simulation, this.network, commits);
    this.#slots = [...spec.taskManagers];
    this.taskManagers = spec.taskManagers.map(() => undefined);
    this.jobManagers = new SimulatedJobManagers({
      world: this, highAvailability: this.highAvailability, violate, fatal: (host, process, error) => this.#fatal(host, process, error),
      config: {
        "jobmanager.rpc.port": JOB_MANAGER_PORT, "heartbeat.interval": spec.heartbeat.intervalMs, "heartbeat.timeout": spec.heartbeat.timeoutMs,
        "cluster.evenly-spread-out-slots": spec.evenly,
      },
    }, spec.jobManagers);
  }

  get hosts(): readonly string[] {
    return [...this.jobManagers.hosts, ...this.taskManagers.map((_, index) => taskManagerHost(index))];
  }

  get leader(): JobManager | undefined {
    return this.jobManagers.leader;
  }

  start(): void {
    for (const index of this.jobManagers.hosts.keys()) this.#startOn(jobManagerHost(index));
    for (const index of this.taskManagers.keys()) this.#startOn(taskManagerHost(index));
  }

  /** Nobody is started again from now on. */
  stop(): void {
    this.#restarts = false;
    this.jobManagers.stop();
    for (const taskManager of this.taskManagers) taskManager?.process.kill("killed");
  }

  processOn(host: string): SimulatedProcess | undefined {
    return isJobManager(host) ? this.jobManagers.processOn(host) : this.taskManagers[indexOf(host)]?.process;
  }

  /** Ends what runs on a host; it is started again after `downMs`. */
  kill(host: string, death: Death, downMs: number): void {
    this.#end(host, death);
    this.simulation.schedule(downMs * 1000, () => {
      this.network.setUp(host, true);
      this.#startOn(host);
    });
  }

  /** A host loses its power for good; a TaskManager on another host takes its place after `downMs`. */
  replace(host: string, downMs: number): void {
    this.#end(host, "power loss");
    this.#joinLater(this.#slots[indexOf(host)]!, downMs);
  }

  /** A TaskManager is told to stop, and leaves in order; another one on another host takes its place after `downMs`. */
  leave(host: string, downMs: number): void {
    const { process, taskManager } = this.taskManagers[indexOf(host)]!;
    this.taskManagers[indexOf(host)] = undefined;
    process.run(() => void taskManager?.stop().finally(() => process.kill("killed")));
    this.#joinLater(this.#slots[indexOf(host)]!, downMs);
  }

  /** A TaskManager on a host of its own comes in. */
  join(slots: number): void {
    this.#joinLater(slots, 0);
  }

  #joinLater(slots: number, delayMs: number): void {
    const host = taskManagerHost(this.taskManagers.push(undefined) - 1);
    this.#slots.push(slots);
    this.simulation.schedule(delayMs * 1000, () => this.#startOn(host));
  }

  #end(host: string, death: Death): void {
    this.processOn(host)?.kill(death);
    if (isJobManager(host)) this.jobManagers.gone(host);
    else this.taskManagers[indexOf(host)] = undefined;
    if (death !== "power loss") return;
    this.network.setUp(host, false);
    this.disk.losePower(host);
  }

  #fatal(host: string, process: SimulatedProcess, error: Error): void {
    this.simulation.note(`${host} gives up: ${error.message}`);
    this.simulation.schedule(0, () => {
      if (this.processOn(host) === process) this.kill(host, "killed", FATAL_DOWN_MS);
      else process.kill("killed");
    });
  }

  #startOn(host: string): void {
    if (!this.#restarts) return;
    const incarnation = this.#incarnations++;
    if (isJobManager(host)) this.jobManagers.start(indexOf(host), incarnation);
    else this.#startTaskManager(indexOf(host), incarnation);
  }

  #startTaskManager(index: number, incarnation: number): void {
    const { build, credits, spec: { heartbeat } } = this.#init;
    const host = taskManagerHost(index);
    const process = new SimulatedProcess(this, `${host}#${incarnation}`, host);
    const slots = new SimulatedSlotHost({ process, build, ledger: credits });
    const running: RunningTaskManager = { process, slots };
    this.taskManagers[index] = running;
    process.run(() => {
      const { env } = process;
      const directory = `/local/${host}/${incarnation}`;
      const numberOfSlots = this.#slots[index]!;
      let find = async (): Promise<JobManagerLocation> => ({ host: jobManagerHost(0), port: JOB_MANAGER_PORT });
      const taskManager = new TaskManager({
        env, slots, artifacts: new ArtifactCache(env, directory, "library"), temporaryDirectory: `${directory}/slots`,
        about: { taskManagerId: host, host, numberOfSlots, processId: incarnation, hardware: { cpuCores: 1, physicalMemoryBytes: 1e9, heapBytes: 1e9 } },
        findJobManager: () => find(), registrationTimeoutMs: 20 * heartbeat.timeoutMs, fatal: (error) => this.#fatal(host, process, error),
      });
      running.taskManager = taskManager;
      if (this.highAvailability.spec.kind !== "none") find = this.#leaderFinder(process, taskManager);
      taskManager.start();
    });
  }

  /** As a TaskManager's process finds its leader. */
  #leaderFinder(process: SimulatedProcess, taskManager: TaskManager): () => Promise<JobManagerLocation> {
    let known: JobManagerLocation | undefined;
    this.highAvailability.servicesOf(process).leaderRetrieval(RPC_COMPONENT).start((leader) => {
      const address = parseAddress(leader?.address ?? "");
      known = address === undefined ? undefined : { ...address, fencingToken: leader!.fencingToken };
      if (known?.fencingToken !== undefined) taskManager.leaderChanged(known.fencingToken);
    });
    return async () => {
      if (known !== undefined) return known;
      throw new MillraceError({ code: "LEADER_UNKNOWN", message: "no JobManager has been elected yet", recovery: "retry" });
    };
  }
}

export function taskManagerHost(index: number): string {
  return `tm${index}`;
}

export function isJobManager(host: string): boolean {
  return host.startsWith("jm");
}

function indexOf(host: string): number {
  return Number(host.slice(2));
}
