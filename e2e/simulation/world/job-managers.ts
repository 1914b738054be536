import { JobManager, JobManagerRunner } from "@millrace/cluster";
import { Configuration, clusterOptions } from "@millrace/core";
import { SimulatedProcess, type World } from "@millrace/env-sim";
import type { SimulatedHighAvailability } from "./high-availability.js";

export const JOB_MANAGER_PORT = 6123;

export interface JobManagersInit {
  readonly world: World;
  readonly highAvailability: SimulatedHighAvailability;
  /** Of the cluster; each adds its own address. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly violate: (what: string) => void;
  /** A process that cannot go on. */
  readonly fatal: (host: string, process: SimulatedProcess, error: Error) => void;
}

interface RunningJobManager {
  readonly process: SimulatedProcess;
  jobManager?: JobManager;
  runner?: JobManagerRunner;
  /** When it began to lead: later leaders come later. */
  ledSinceMs?: number;
}

const DIRECTORY = "/jobmanager";

/** The JobManagers of a cluster: one that leads because there is no other, or several that elect a leader. */
export class SimulatedJobManagers {
  readonly #init: JobManagersInit;
  readonly #running: (RunningJobManager | undefined)[];

  constructor(init: JobManagersInit, count: number) {
    this.#init = init;
    this.#running = Array.from({ length: count }, () => undefined);
  }

  get hosts(): readonly string[] {
    return this.#running.map((_, index) => jobManagerHost(index));
  }

  processOn(host: string): SimulatedProcess | undefined {
    return this.#running[indexOf(host)]?.process;
  }

  /** Who believes that it leads; of several whoever was elected last. */
  get leader(): JobManager | undefined {
    return this.#leading?.jobManager ?? this.#leading?.runner?.leader;
  }

  get leaderHost(): string | undefined {
    return this.#leading?.process.host;
  }

  gone(host: string): void {
    this.#running[indexOf(host)] = undefined;
  }

  stop(): void {
    for (const running of this.#running) running?.process.kill("killed");
  }

  start(index: number, incarnation: number): void {
    const { world, highAvailability } = this.#init;
    const host = jobManagerHost(index);
    const process = new SimulatedProcess(world, `${host}#${incarnation}`, host);
    const running: RunningJobManager = { process };
    this.#running[index] = running;
    process.run(() => void (highAvailability.spec.kind === "none" ? this.#startOnly(running) : this.#startOneOfSeveral(running)));
  }

  get #leading(): RunningJobManager | undefined {
    const leading = this.#running.filter((running) => running?.jobManager !== undefined || running?.runner?.leader !== undefined);
    return leading.sort((a, b) => (a!.ledSinceMs ?? 0) - (b!.ledSinceMs ?? 0)).at(-1);
  }

  async #startOnly(running: RunningJobManager): Promise<void> {
    const { config, violate } = this.#init;
    const { env } = running.process;
    try {
      running.jobManager = await JobManager.start({ env, config: Configuration.of(config, clusterOptions), directory: DIRECTORY, fencingToken: env.randomHex(16) });
    } catch (error) {
      violate(`the JobManager does not start: ${String(error)}`);
    }
  }

  async #startOneOfSeveral(running: RunningJobManager): Promise<void> {
    const { world, config, highAvailability, violate, fatal } = this.#init;
    const { process } = running;
    const { env, host } = process;
    try {
      running.runner = await JobManagerRunner.start({
        env, config: Configuration.of({ ...config, "jobmanager.rpc.address": host }, clusterOptions), services: highAvailability.servicesOf(process), directory: DIRECTORY,
        fatal: (error) => fatal(host, process, error),
        onLeader: (leader) => {
          if (leader !== undefined) running.ledSinceMs = world.simulation.nowMs;
        },
      });
      running.runner.stand(undefined);
    } catch (error) {
      violate(`the JobManager on ${host} does not start: ${String(error)}`);
    }
  }
}

export function jobManagerHost(index: number): string {
  return `jm${index}`;
}

function indexOf(host: string): number {
  return Number(host.slice(2));
}
