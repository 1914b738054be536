import { CoordinatedServices, FileCoordination, type HighAvailabilityServices } from "@millrace/cluster";
import type { Coordination } from "@millrace/core";
import type { SimulatedNetwork, SimulatedProcess, Simulation } from "@millrace/env-sim";
import type { CommitLedger } from "./commit-ledger.js";
import { CoordinationService } from "./coordination-service.js";

/** How JobManagers elect a leader: not at all, through a service, or through files on the disk that all see. */
export interface HighAvailabilitySpec {
  readonly kind: "none" | "service" | "file";
  /** After which a silent leader is one no more. */
  readonly leaseMs: number;
}

const STORAGE = "/ha";

/** What the processes of a simulated cluster have for high availability. */
export class SimulatedHighAvailability {
  readonly spec: HighAvailabilitySpec;
  readonly service: CoordinationService | undefined;
  readonly #ledger: CommitLedger;

  constructor(spec: HighAvailabilitySpec, simulation: Simulation, network: SimulatedNetwork, ledger: CommitLedger) {
    this.spec = spec;
    this.#ledger = ledger;
    this.service = spec.kind === "service" ? new CoordinationService(simulation, network, spec.leaseMs) : undefined;
  }

  servicesOf(process: SimulatedProcess): HighAvailabilityServices {
    const { env } = process;
    return new CoordinatedServices({
      env, contender: process.name, coordination: this.#ledger.tap(this.#coordinationOf(process), process.host), storageDirectory: STORAGE,
      jobResultDirectory: `${STORAGE}/job-results`, deleteResultOnCommit: false,
    });
  }

  #coordinationOf(process: SimulatedProcess): Coordination {
    const { leaseMs } = this.spec;
    return this.service?.connect(process) ??
      new FileCoordination({ env: process.env, directory: `${STORAGE}/election`, leaseTimeoutMs: leaseMs, leaseIntervalMs: Math.floor(leaseMs / 4) });
  }
}
