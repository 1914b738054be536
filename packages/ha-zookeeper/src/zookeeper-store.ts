import { checkChanges, leadershipLost, MillraceError, storeConflict, type FencedStore, type StoreChange, type StoredValue } from "@millrace/core";
import { errorCodes, isZooKeeperError, ZooKeeperError, type MultiOp } from "./operations.js";
import type { ZooKeeperClient } from "./zookeeper-client.js";
import { decodeEpoch, encodeJson, type Epoch, type ZooKeeperPaths } from "./zookeeper-paths.js";

/** A leadership of this process, as the epoch node has it. */
interface Held {
  epoch: Epoch;
  version: number;
}

const VALUE = 1;
const MAX_TRIES = 5;

/**
 * The fenced store in ZooKeeper. Each commit is one transaction that also moves the epoch node on from the version this leader left it at:
 * once a successor has taken the epoch, it fails. Values begin with a byte that tells them from nodes that are only parents.
 */
export class ZooKeeperStore implements FencedStore {
  readonly #client: ZooKeeperClient;
  readonly #paths: ZooKeeperPaths;
  #held: Held | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** Called when a commit finds that another leader was elected. */
  onSuperseded: (fencingToken: number) => void = () => {};

  constructor(client: ZooKeeperClient, paths: ZooKeeperPaths) {
    this.#client = client;
    this.#paths = paths;
  }

  open(epoch: Epoch, version: number): void {
    this.#held = { epoch, version };
  }

  shut(): void {
    this.#held = undefined;
  }

  async get(key: string): Promise<StoredValue | undefined> {
    const found = await this.#client.getData(this.#paths.key(key)).catch(refuse);
    if (found === undefined || found.data[0] !== VALUE) return undefined;
    return { value: new TextDecoder().decode(found.data.subarray(1)), version: found.stat.version };
  }

  async list(key: string): Promise<string[]> {
    return (await this.#client.getChildren(this.#paths.key(key)).catch(refuse)).sort();
  }

  async commit(fencingToken: number, changes: readonly StoreChange[]): Promise<void> {
    checkChanges(changes);
    await this.transact(fencingToken, () => this.#steps(changes));
    for (const change of changes) if (change.type === "delete") await this.#pruneParents(change.key);
  }

  /** A transaction under the fence, one after the other. `steps` is asked again when it has to be repeated. */
  transact(fencingToken: number, steps: () => Promise<readonly MultiOp[]>): Promise<void> {
    const result = this.#last.then(() => this.#transact(fencingToken, steps));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #transact(fencingToken: number, steps: () => Promise<readonly MultiOp[]>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const held = this.#require(fencingToken);
      const { version } = held;
      const epoch = { ...held.epoch, commits: held.epoch.commits + 1 };
      let ops: readonly MultiOp[];
      try {
        ops = await steps();
      } catch (error) {
        throw error instanceof ZooKeeperError ? unavailable(error) : error;
      }
      this.#require(fencingToken);
      try {
        await this.#client.multi([{ type: "setData", path: this.#paths.epoch, data: encodeJson(epoch), version }, ...ops]);
        return this.#moved(held, epoch, version + 1);
      } catch (error) {
        if (isZooKeeperError(error, errorCodes.connectionLoss)) {
          if (await this.#wasApplied(held, epoch)) return;
        } else if (!(error instanceof ZooKeeperError)) throw error;
        else if (await this.#superseded(held, fencingToken)) throw leadershipLost(fencingToken, "another JobManager was elected", error);
        else if (![errorCodes.noNode, errorCodes.nodeExists, errorCodes.badVersion].includes(error.zkCode as never)) throw unavailable(error);
        // Parents were pruned, or a node came or went, between the look and the transaction: look again.
        if (attempt >= MAX_TRIES) throw unavailable(error);
      }
    }
  }

  #moved(held: Held, epoch: Epoch, version: number): void {
    held.epoch = epoch;
    held.version = version;
  }

  /** After the connection broke during a transaction: whether it was carried out. Only a leader that is still one may ask. */
  async #wasApplied(held: Held, epoch: Epoch): Promise<boolean> {
    this.#require(epoch.token);
    const now = await this.#readEpoch();
    this.#require(epoch.token);
    if (now.epoch.holder !== epoch.holder) {
      this.onSuperseded(epoch.token);
      throw leadershipLost(epoch.token, "another JobManager was elected");
    }
    if (now.epoch.commits !== epoch.commits) return false;
    this.#moved(held, epoch, now.version);
    return true;
  }

  async #superseded(held: Held, fencingToken: number): Promise<boolean> {
    const { epoch } = await this.#readEpoch();
    if (epoch.holder === held.epoch.holder) return false;
    this.onSuperseded(fencingToken);
    return true;
  }

  async #readEpoch(): Promise<{ readonly epoch: Epoch; readonly version: number }> {
    try {
      const found = await this.#client.getData(this.#paths.epoch);
      return { epoch: decodeEpoch(found?.data ?? new Uint8Array()), version: found?.stat.version ?? -1 };
    } catch (error) {
      throw unavailable(error);
    }
  }

  #require(fencingToken: number): Held {
    const held = this.#held;
    if (held === undefined || held.epoch.token !== fencingToken) throw leadershipLost(fencingToken, "this process does not lead under it");
    return held;
  }

  async #steps(changes: readonly StoreChange[]): Promise<MultiOp[]> {
    /** Versions as they are after the steps so far. */
    const versions = new Map<string, number | "absent">();
    const ops: MultiOp[] = [];
    for (const change of changes) {
      const path = this.#paths.key(change.key);
      const found = versions.get(path) ?? (await this.get(change.key))?.version ?? "absent";
      if (change.expect !== undefined && change.expect !== found) throw storeConflict(change.key, change.expect, found);
      if (change.type === "delete") {
        if (found !== "absent") ops.push({ type: "delete", path, version: found });
        versions.set(path, "absent");
      } else {
        const data = encodeValue(change.value);
        if (found === "absent") {
          await this.#client.ensurePath(path.slice(0, path.lastIndexOf("/")));
          ops.push({ type: "create", path, data, mode: "persistent" });
        } else ops.push({ type: "setData", path, data, version: found });
        versions.set(path, found === "absent" ? 0 : found + 1);
      }
    }
    return ops;
  }

  /** Takes away parents that have no children left. */
  async #pruneParents(key: string): Promise<void> {
    try {
      const names = key.split("/");
      for (let depth = names.length - 1; depth > 0; depth--) {
        const parent = this.#paths.key(names.slice(0, depth).join("/"));
        if ((await this.#client.getChildren(parent)).length > 0) return;
        await this.#client.delete(parent, true);
      }
    } catch (error) {
      // What is left is only a name without a value.
      if (!(error instanceof ZooKeeperError)) throw error;
    }
  }
}

function encodeValue(value: string): Uint8Array {
  const text = new TextEncoder().encode(value);
  const data = new Uint8Array(1 + text.length);
  data[0] = VALUE;
  data.set(text, 1);
  return data;
}

function refuse(error: unknown): never {
  throw error instanceof ZooKeeperError ? unavailable(error) : error;
}

function unavailable(cause: unknown): MillraceError {
  return new MillraceError({ code: "HA_UNAVAILABLE", message: `ZooKeeper cannot be used: ${(cause as Error).message}`, recovery: "retry", cause });
}
