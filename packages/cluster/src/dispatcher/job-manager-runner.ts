import { JOBMANAGER_BIND_HOST, JOBMANAGER_RPC_ADDRESS, type Configuration, type MillraceError } from "@millrace/core";
import type { HighAvailabilityServices } from "../high-availability/high-availability-services.js";
import { REST_COMPONENT, RPC_COMPONENT } from "../high-availability/leader-components.js";
import type { LeaderContender, LeaderElection } from "../high-availability/leader-election.js";
import type { LeaderAddress, LeaderRetrieval } from "../high-availability/leader-retrieval.js";
import { LeaderTerm } from "../high-availability/leader-term.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import type { RpcServer } from "../rpc/rpc-endpoints.js";
import { formatAddress, parseAddress, standbyRefusal } from "../rpc/standby-refusal.js";
import { JobManager, listen } from "./job-manager.js";

export interface JobManagerRunnerInit {
  readonly env: ClusterEnv;
  readonly config: Configuration;
  readonly services: HighAvailabilityServices;
  /** Absolute directory that all JobManagers of the cluster reach, for blobs and, unless a job names another, checkpoints. */
  readonly directory: string;
  /** Absolute directory of this process's temporary files. */
  readonly temporaryDirectory?: string | undefined;
  /** This process leads, and has taken up the jobs; `undefined` when it no longer does. */
  readonly onLeader?: (jobManager: JobManager | undefined) => void;
  /** The process cannot go on, and should end. */
  readonly fatal: (error: Error) => void;
}

/**
 * One of several JobManagers: a standby until it is elected, then, for as long as it leads, a {@link JobManager}. It listens all the time, and as a
 * standby tells everybody who connects where the leader is. When it loses the leadership it lets go of its jobs and is a standby again.
 * A state machine on one thread. Flink: DefaultDispatcherRunner.
 */
export class JobManagerRunner implements LeaderContender {
  readonly #init: JobManagerRunnerInit;
  readonly #election: LeaderElection;
  readonly #restElection: LeaderElection;
  readonly #retrievals: readonly LeaderRetrieval[];
  #server!: RpcServer;
  #restUrl: string | undefined;
  #term: LeaderTerm | undefined;
  #leader: JobManager | undefined;
  #known: LeaderAddress | undefined;
  #knownRest: LeaderAddress | undefined;

  private constructor(init: JobManagerRunnerInit) {
    this.#init = init;
    const { services } = init;
    this.#election = services.leaderElection(RPC_COMPONENT);
    this.#restElection = services.leaderElection(REST_COMPONENT);
    this.#retrievals = [services.leaderRetrieval(RPC_COMPONENT), services.leaderRetrieval(REST_COMPONENT)];
  }

  /** Listens, as a standby. @throws `ADDRESS_IN_USE`, `ADDRESS_UNAVAILABLE` */
  static async start(init: JobManagerRunnerInit): Promise<JobManagerRunner> {
    const runner = new JobManagerRunner(init);
    runner.#server = await listen(init.env, init.config, {
      get token() {
        return String(runner.#term?.fencingToken);
      },
      accept: (hello, peer) => {
        if (runner.#leader === undefined) throw standbyRefusal(parseAddress(runner.#known?.address ?? ""));
        return runner.#leader.accept(hello, peer);
      },
    });
    const [rpc, rest] = runner.#retrievals;
    rpc!.start((leader) => (runner.#known = leader));
    rest!.start((leader) => (runner.#knownRest = leader));
    return runner;
  }

  get port(): number {
    return this.#server.port;
  }

  /** How others reach this process. */
  get address(): string {
    const { config } = this.#init;
    return formatAddress({ host: config.get(config.has(JOBMANAGER_RPC_ADDRESS) ? JOBMANAGER_RPC_ADDRESS : JOBMANAGER_BIND_HOST), port: this.port });
  }

  /** The one in charge, when it is in this process. */
  get leader(): JobManager | undefined {
    return this.#leader;
  }

  /** Where the leader serves REST, as far as it is known. */
  get leaderRestUrl(): string | undefined {
    return this.#knownRest?.address;
  }

  /** Stands for election. @param restUrl where this process serves REST */
  stand(restUrl: string | undefined): void {
    this.#restUrl = restUrl;
    this.#election.start(this);
    this.#restElection.start({ grantLeadership: () => undefined, revokeLeadership: () => undefined, handleError: () => undefined });
  }

  grantLeadership(fencingToken: number): void {
    this.#term = new LeaderTerm(this.#init.env, fencingToken);
    void this.#lead(this.#term);
  }

  revokeLeadership(): void {
    this.#init.env.log.write("warn", "this JobManager no longer leads: its jobs are left to the next leader");
    this.#letGo();
  }

  handleError(error: Error): void {
    this.#init.env.log.write("error", `the election is in trouble: ${error.message}`);
  }

  /** Leaves: with `cancelJobs` nothing is left to do for another leader, else it goes on with the jobs at once. */
  async stop({ cancelJobs }: { readonly cancelJobs: boolean }): Promise<void> {
    if (cancelJobs) await this.#leader?.stop();
    this.#letGo();
    for (const retrieval of this.#retrievals) retrieval.close();
    await this.#init.services.close();
    await this.#server.close();
  }

  async #lead(term: LeaderTerm): Promise<void> {
    const { env, config, directory, temporaryDirectory, services, onLeader, fatal } = this.#init;
    const { fencingToken } = term;
    try {
      const leader = await JobManager.lead({ env, config, directory, temporaryDirectory, fencingToken: String(fencingToken), leadership: { term, stores: services.openStores(fencingToken) } });
      if (term.over) return leader.suspend();
      this.#leader = leader;
      onLeader?.(leader);
      await term.persist("the address of the leader", () => this.#election.confirmLeadership(fencingToken, this.address));
      if (this.#restUrl !== undefined) await term.persist("the REST address of the leader", () => this.#restElection.confirmLeadership(fencingToken, this.#restUrl!));
      env.log.write("info", `leads, at ${this.address}, with fencing token ${fencingToken}`);
    } catch (error) {
      if (!term.over) fatal(error as MillraceError);
    }
  }

  #letGo(): void {
    this.#term?.end();
    this.#term = undefined;
    const leader = this.#leader;
    this.#leader = undefined;
    leader?.suspend();
    this.#server.closeConnections();
    if (leader !== undefined) this.#init.onLeader?.(undefined);
  }
}
