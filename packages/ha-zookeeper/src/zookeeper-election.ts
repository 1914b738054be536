import { isMillraceError, leadershipLost, type Cancellable, type Election, type ElectionListener, type Env } from "@millrace/core";
import { errorCodes, isZooKeeperError, type MultiOp } from "./operations.js";
import type { ZooKeeperClient } from "./zookeeper-client.js";
import { decodeEpoch, encodeJson, type Epoch, type ZooKeeperPaths } from "./zookeeper-paths.js";
import type { ZooKeeperStore } from "./zookeeper-store.js";

export interface ZooKeeperElectionInit {
  readonly env: Pick<Env, "clock" | "log" | "rng">;
  readonly client: ZooKeeperClient;
  readonly store: ZooKeeperStore;
  readonly paths: ZooKeeperPaths;
  readonly contender: string;
  readonly listener: ElectionListener;
  readonly tolerateSuspended: boolean;
}

/**
 * One process's part in an election: a numbered ephemeral node below `latch`, and whoever has the lowest takes the epoch. Each watches only
 * the one before it, so a leader's end wakes one successor and not all.
 *
 * A broken connection ends the leadership at once unless that is tolerated; when the session lives on the process leads again, under a new token.
 */
export class ZooKeeperElection implements Election {
  readonly #init: ZooKeeperElectionInit;
  readonly #id: string;
  #node: string | undefined;
  #token: number | undefined;
  #closed = false;
  #working = false;
  #again = false;
  #retry: Cancellable | undefined;
  #suspension: Cancellable | undefined;

  constructor(init: ZooKeeperElectionInit) {
    this.#init = init;
    this.#id = this.#randomName();
    init.store.onSuperseded = (token) => this.#lose(token, "another JobManager was elected");
    void this.#evaluate();
  }

  connected(fresh: boolean): void {
    this.#suspension?.cancel();
    if (fresh) this.#node = undefined;
    void this.#evaluate();
  }

  suspended(): void {
    const token = this.#token;
    if (token === undefined) return;
    if (!this.#init.tolerateSuspended) return this.#lose(token, "the connection to ZooKeeper broke");
    const { env, client } = this.#init;
    // The session cannot outlive its timeout by more than the servers' patience; by then somebody else may lead.
    this.#suspension = env.clock.setTimer((client.sessionTimeoutMs * 2) / 3, () => this.#lose(token, "the connection to ZooKeeper did not come back in time"));
  }

  expired(): void {
    this.#suspension?.cancel();
    this.#node = undefined;
    if (this.#token !== undefined) this.#lose(this.#token, "the ZooKeeper session expired");
  }

  async publish(fencingToken: number, addresses: Readonly<Record<string, string>>): Promise<void> {
    if (this.#token !== fencingToken) throw leadershipLost(fencingToken, "this process does not lead under it");
    const { client, paths, store } = this.#init;
    const data = encodeJson({ fencingToken, addresses });
    await store.transact(fencingToken, async () => {
      const stat = await client.exists(paths.leader);
      const create: MultiOp = { type: "create", path: paths.leader, data, mode: "ephemeral" };
      if (stat === undefined) return [create];
      if (stat.ephemeralOwner === client.sessionId) return [{ type: "setData", path: paths.leader, data, version: -1 }];
      return [{ type: "delete", path: paths.leader, version: -1 }, create];
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#retry?.cancel();
    this.#suspension?.cancel();
    const { client, paths, store } = this.#init;
    const token = this.#token;
    this.#token = undefined;
    const node = this.#node;
    try {
      if (token !== undefined) await store.transact(token, async () => ((await client.exists(paths.leader)) === undefined ? [] : [{ type: "delete", path: paths.leader, version: -1 }]));
      store.shut();
      if (node !== undefined) await client.delete(node);
    } catch (error) {
      // The end of the session takes them away.
      if (!isMillraceError(error)) throw error;
    } finally {
      store.shut();
    }
  }

  /** Looks where this process stands in the line, and leads when it is first. One run at a time; what happens meanwhile asks for another. */
  async #evaluate(): Promise<void> {
    this.#again = true;
    if (this.#working) return;
    this.#working = true;
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        await this.#standInLine();
      } catch (error) {
        if (!isZooKeeperError(error, errorCodes.connectionLoss) && isMillraceError(error)) {
          this.#init.env.log.write("warn", `the election cannot go on: ${error.message}`);
          if (!this.#closed) this.#init.listener.failed(error);
        } else if (!isMillraceError(error)) throw error;
        this.#retry?.cancel();
        this.#retry = this.#init.env.clock.setTimer(500, () => void this.#evaluate());
      }
    }
    this.#working = false;
  }

  async #standInLine(): Promise<void> {
    const { client, paths } = this.#init;
    await client.ensurePath(paths.latch);
    await client.ensurePath(paths.store);
    await client.ensurePath(paths.epoch);
    const children = (await client.getChildren(paths.latch)).sort((a, b) => (sequence(a) < sequence(b) ? -1 : 1));
    // The node may stand although its creation lost the connection.
    const mine = children.find((child) => child.startsWith(`${this.#id}-`));
    if (mine === undefined) {
      if (this.#token !== undefined) this.#lose(this.#token, "the ZooKeeper session expired");
      this.#node = await client.create(`${paths.latch}/${this.#id}-`, encodeJson(this.#init.contender), "ephemeral-sequential");
      this.#again = true;
      return;
    }
    this.#node = `${paths.latch}/${mine}`;
    const at = children.indexOf(mine);
    if (at === 0) return this.#token === undefined ? this.#lead(this.#node) : undefined;
    const before = await client.exists(`${paths.latch}/${children[at - 1]!}`, () => void this.#evaluate());
    if (before === undefined) this.#again = true;
  }

  /** Takes the epoch. From here on no write of an earlier leader succeeds. */
  async #lead(node: string): Promise<void> {
    const { client, paths, store, listener, env, contender } = this.#init;
    const found = await client.getData(paths.epoch);
    const epoch: Epoch = { token: decodeEpoch(found!.data).token + 1, holder: this.#randomName(), commits: 0 };
    let version = found!.stat.version + 1;
    try {
      await client.multi([{ type: "check", path: node, version: -1 }, { type: "setData", path: paths.epoch, data: encodeJson(epoch), version: version - 1 }]);
    } catch (error) {
      if (!isZooKeeperError(error, errorCodes.connectionLoss)) {
        // The line moved meanwhile: this node is gone, or somebody else took the epoch.
        if (isZooKeeperError(error, errorCodes.noNode) || isZooKeeperError(error, errorCodes.badVersion)) return void (this.#again = true);
        throw error;
      }
      const now = await client.getData(paths.epoch);
      if (decodeEpoch(now!.data).holder !== epoch.holder) return void (this.#again = true);
      version = now!.stat.version;
    }
    if (this.#closed) return;
    this.#token = epoch.token;
    store.open(epoch, version);
    env.log.write("info", `${contender} leads, with fencing token ${epoch.token}`);
    listener.granted(epoch.token);
  }

  #lose(token: number, why: string): void {
    if (this.#token !== token) return;
    this.#token = undefined;
    this.#init.store.shut();
    this.#init.env.log.write("warn", `${this.#init.contender} no longer leads with fencing token ${token}: ${why}`);
    this.#init.env.clock.yieldThen(() => this.#closed || this.#init.listener.revoked());
    void this.#evaluate();
  }

  #randomName(): string {
    let name = "";
    for (let i = 0; i < 4; i++) name += Math.floor(this.#init.env.rng.next() * 2 ** 32).toString(36);
    return name;
  }
}

/** The number ZooKeeper appended. */
function sequence(child: string): string {
  return child.slice(child.lastIndexOf("-") + 1);
}
