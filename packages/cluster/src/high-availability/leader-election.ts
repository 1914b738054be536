import { isMillraceError, leadershipLost, type Coordination, type Election, type Env } from "@millrace/core";

/** A component that works only while its process leads: the Dispatcher, the ResourceManager, the REST server, a JobMaster. */
export interface LeaderContender {
  /** Starts to work under the token. When it is ready to be called it confirms, with its address. */
  grantLeadership(fencingToken: number): void;
  /** Stops at once; may be granted again later. */
  revokeLeadership(): void;
  /** The election cannot go on by itself; the process should end when this persists. */
  handleError(error: Error): void;
}

/** One component's part in its process's election. */
export interface LeaderElection {
  /** Stands for election; a component that starts in a process that leads already is granted soon after. */
  start(contender: LeaderContender): void;
  /**
   * Ready: makes the component's address known to those who look for it.
   * @throws `LEADERSHIP_LOST`
   */
  confirmLeadership(fencingToken: number, address: string): Promise<void>;
  /** Whether this process leads under the token, as far as it knows. Never a licence to write: only a commit of the store is proof. */
  hasLeadership(fencingToken: number): boolean;
  /** No longer stands; its contender is not called again, and its address is withdrawn. */
  close(): Promise<void>;
}

/**
 * One election per process, shared by its components, as in Flink since 1.16: they lead together or not at all, all under one token.
 *
 * The process joins with its first component.
 */
export class ProcessElection {
  readonly #coordination: Coordination;
  readonly #env: Pick<Env, "clock" | "log">;
  readonly #name: string;
  readonly #contenders = new Map<string, LeaderContender>();
  #addresses: Record<string, string> = {};
  #election: Election | undefined;
  #token: number | undefined;

  constructor(coordination: Coordination, env: Pick<Env, "clock" | "log">, name: string) {
    this.#coordination = coordination;
    this.#env = env;
    this.#name = name;
  }

  component(componentId: string): LeaderElection {
    let own: LeaderContender | undefined;
    return {
      start: (contender) => {
        own = contender;
        this.#start(componentId, contender);
      },
      confirmLeadership: async (fencingToken, address) => {
        this.#require(fencingToken);
        this.#addresses = { ...this.#addresses, [componentId]: address };
        await this.#election!.publish(fencingToken, this.#addresses);
      },
      hasLeadership: (fencingToken) => this.#token === fencingToken,
      close: async () => {
        if (own !== undefined && this.#contenders.get(componentId) === own) await this.#withdraw(componentId);
      },
    };
  }

  async close(): Promise<void> {
    this.#contenders.clear();
    this.#token = undefined;
    await this.#election?.close();
    this.#election = undefined;
  }

  #start(componentId: string, contender: LeaderContender): void {
    this.#contenders.set(componentId, contender);
    const token = this.#token;
    if (token !== undefined) this.#env.clock.yieldThen(() => this.#token === token && this.#contenders.get(componentId) === contender && contender.grantLeadership(token));
    this.#election ??= this.#coordination.elect(this.#name, {
      granted: (fencingToken) => {
        this.#token = fencingToken;
        this.#addresses = {};
        this.#each((one) => one.grantLeadership(fencingToken));
      },
      revoked: () => {
        this.#token = undefined;
        this.#addresses = {};
        this.#each((one) => one.revokeLeadership());
      },
      failed: (error) => this.#each((one) => one.handleError(error)),
    });
  }

  async #withdraw(componentId: string): Promise<void> {
    this.#contenders.delete(componentId);
    const { [componentId]: withdrawn, ...others } = this.#addresses;
    this.#addresses = others;
    const token = this.#token;
    if (this.#contenders.size === 0) return this.close();
    if (token === undefined || withdrawn === undefined) return;
    try {
      await this.#election!.publish(token, others);
    } catch (error) {
      if (!isMillraceError(error)) throw error;
      this.#env.log.write("warn", `the address of ${componentId} could not be withdrawn: ${error.message}`);
    }
  }

  #require(fencingToken: number): void {
    if (this.#token !== fencingToken) throw leadershipLost(fencingToken, "this process does not lead under it");
  }

  /** A component that throws keeps no other from hearing. */
  #each(call: (contender: LeaderContender) => void): void {
    for (const contender of this.#contenders.values()) {
      try {
        call(contender);
      } catch (error) {
        contender.handleError(error as Error);
      }
    }
  }
}
