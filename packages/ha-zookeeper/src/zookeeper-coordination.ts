import {
  HA_ZOOKEEPER_AUTH, HA_ZOOKEEPER_CONNECTION_TIMEOUT, HA_ZOOKEEPER_MAX_RETRIES, HA_ZOOKEEPER_QUORUM, HA_ZOOKEEPER_RETRY_WAIT, HA_ZOOKEEPER_ROOT,
  HA_ZOOKEEPER_SESSION_TIMEOUT, HA_ZOOKEEPER_TOLERATE_SUSPENDED, MillraceError, type Configuration, type Coordination, type Election, type ElectionListener, type Env,
  type LeaderInformation,
} from "@millrace/core";
import { ZooKeeperError } from "./operations.js";
import { ZooKeeperClient } from "./zookeeper-client.js";
import { ZooKeeperElection } from "./zookeeper-election.js";
import { ZooKeeperPaths } from "./zookeeper-paths.js";
import { ZooKeeperStore } from "./zookeeper-store.js";

/** Coordination through ZooKeeper, for `high-availability.type: zookeeper`. @throws `HA_OPTION_MISSING`, `CONFIG_BAD_VALUE` */
export function createCoordination(env: Env, config: Configuration, clusterId: string): Coordination {
  return new ZooKeeperCoordination(env, config, clusterId);
}

type LeaderListener = (leader: LeaderInformation | undefined) => void;

class ZooKeeperCoordination implements Coordination {
  readonly #env: Env;
  readonly #client: ZooKeeperClient;
  readonly #paths: ZooKeeperPaths;
  readonly #tolerateSuspended: boolean;
  #election: ZooKeeperElection | undefined;
  readonly store: ZooKeeperStore;

  constructor(env: Env, config: Configuration, clusterId: string) {
    this.#env = env;
    this.#paths = new ZooKeeperPaths(checkedRoot(config.get(HA_ZOOKEEPER_ROOT)), clusterId);
    this.#tolerateSuspended = config.get(HA_ZOOKEEPER_TOLERATE_SUSPENDED);
    this.#client = new ZooKeeperClient({
      env, servers: parseQuorum(config.get(HA_ZOOKEEPER_QUORUM)), auth: config.get(HA_ZOOKEEPER_AUTH),
      sessionTimeoutMs: config.get(HA_ZOOKEEPER_SESSION_TIMEOUT), connectionTimeoutMs: config.get(HA_ZOOKEEPER_CONNECTION_TIMEOUT),
      retryWaitMs: config.get(HA_ZOOKEEPER_RETRY_WAIT), maxRetries: config.get(HA_ZOOKEEPER_MAX_RETRIES),
    }, {
      connected: (fresh) => this.#election?.connected(fresh),
      suspended: () => this.#election?.suspended(),
      expired: () => this.#election?.expired(),
    });
    this.store = new ZooKeeperStore(this.#client, this.#paths);
  }

  elect(contender: string, listener: ElectionListener): Election {
    this.#election = new ZooKeeperElection({
      env: this.#env, client: this.#client, store: this.store, paths: this.#paths, contender, listener, tolerateSuspended: this.#tolerateSuspended,
    });
    return this.#election;
  }

  watchLeader(listener: LeaderListener): { close(): void } {
    const { clock } = this.#env;
    let closed = false;
    let told: string | undefined;
    const look = async (): Promise<void> => {
      if (closed) return;
      try {
        // A watch on a node that is not there tells when it comes.
        let fired = false;
        const changed = (): void => {
          if (fired) return;
          fired = true;
          void look();
        };
        const found = (await this.#client.getData(this.#paths.leader, changed)) ?? ((await this.#client.exists(this.#paths.leader, changed)) === undefined ? undefined : null);
        if (found === null) return changed();
        if (closed) return;
        const text = found === undefined ? "null" : new TextDecoder().decode(found.data);
        if (text === told) return;
        told = text;
        listener((JSON.parse(text) as LeaderInformation | null) ?? undefined);
      } catch (error) {
        if (!(error instanceof ZooKeeperError)) throw error;
        if (!closed) clock.setTimer(1000, () => void look());
      }
    };
    void look();
    return { close: () => void (closed = true) };
  }

  async close(): Promise<void> {
    await this.#election?.close();
    await this.#client.close();
  }
}

function parseQuorum(quorum: string | undefined): { host: string; port: number }[] {
  if (quorum === undefined || quorum.trim() === "") {
    throw new MillraceError({ code: "HA_OPTION_MISSING", message: `"high-availability.type: zookeeper" needs "${HA_ZOOKEEPER_QUORUM.key}"`, hint: "zk1:2181,zk2:2181,zk3:2181", location: { option: HA_ZOOKEEPER_QUORUM.key } });
  }
  return quorum.split(",").map((server) => {
    const match = /^\s*(?:\[([^\]]+)\]|([^:\s/]+))(?::(\d+))?\s*$/.exec(server);
    const port = Number(match?.[3] ?? 2181);
    if (match === null || port < 1 || port > 65_535) throw badValue(HA_ZOOKEEPER_QUORUM.key, quorum, "host:port,host:port");
    return { host: (match[1] ?? match[2])!, port };
  });
}

function checkedRoot(root: string): string {
  if (!/^(\/[A-Za-z0-9._-]+)+$|^\/$/.test(root)) throw badValue(HA_ZOOKEEPER_ROOT.key, root, "a path such as /millrace");
  return root;
}

function badValue(key: string, value: string, expected: string): MillraceError {
  return new MillraceError({ code: "CONFIG_BAD_VALUE", message: `"${value}" is not a value for "${key}": expected ${expected}`, location: { option: key } });
}
