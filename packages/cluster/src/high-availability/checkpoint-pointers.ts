import type { FencedStore, StoreChange } from "@millrace/core";
import type { CheckpointOptions } from "@millrace/runtime";

/** Where a completed checkpoint is. Its content is in its `_metadata`. */
export interface CheckpointPointer {
  readonly checkpointId: number;
  /** The checkpoint's directory. */
  readonly path: string;
  /** Restored from outside and not this job's to delete. */
  readonly external: boolean;
  /** Restored from outside and given to this job: with its directory goes what else only it needs. */
  readonly claimed?: boolean;
  /** A savepoint that the job was about to stop behind. */
  readonly stop?: CheckpointOptions["stop"] | undefined;
}

const ID_DIGITS = 16;

/** The completed checkpoints of a job, as its leaders agree on them. Flink: ZooKeeperCheckpointStoreUtil and its StateHandleStore. */
export class CheckpointPointers {
  readonly #store: FencedStore;
  readonly #fencingToken: number;
  readonly #key: string;
  readonly #discardsKey: string;

  constructor(store: FencedStore, fencingToken: number, jobId: string) {
    this.#store = store;
    this.#fencingToken = fencingToken;
    this.#key = `jobs/${jobId}/checkpoints`;
    this.#discardsKey = `jobs/${jobId}/discards`;
  }

  /** Oldest first. */
  all(): Promise<CheckpointPointer[]> {
    return this.#below(this.#key);
  }

  /**
   * Adds and removes, in one commit. Files of what was removed may be deleted, and tasks told of what was added, only after it resolved.
   * @param discarding of those that are removed, the ones whose files nobody would find any more: they are noted until {@link discarded} is called
   * @throws `LEADERSHIP_LOST`, `HA_UNAVAILABLE`
   */
  async change(added: readonly CheckpointPointer[], removedIds: readonly number[], discarding: readonly CheckpointPointer[] = []): Promise<void> {
    const changes: StoreChange[] = [
      ...added.map((pointer): StoreChange => ({ type: "put", key: keyOf(this.#key, pointer.checkpointId), value: JSON.stringify(pointer) })),
      ...removedIds.map((id): StoreChange => ({ type: "delete", key: keyOf(this.#key, id) })),
      ...discarding.map((pointer): StoreChange => ({ type: "put", key: keyOf(this.#discardsKey, pointer.checkpointId), value: JSON.stringify(pointer) })),
    ];
    if (changes.length > 0) await this.#store.commit(this.#fencingToken, changes);
  }

  /** What was removed and may not be deleted yet: no state points to it any more. */
  discards(): Promise<CheckpointPointer[]> {
    return this.#below(this.#discardsKey);
  }

  /** Its files are gone. @throws `LEADERSHIP_LOST`, `HA_UNAVAILABLE` */
  async discarded(checkpointId: number): Promise<void> {
    await this.#store.commit(this.#fencingToken, [{ type: "delete", key: keyOf(this.#discardsKey, checkpointId) }]);
  }

  async #below(key: string): Promise<CheckpointPointer[]> {
    const names = await this.#store.list(key);
    const stored = await Promise.all(names.map((name) => this.#store.get(`${key}/${name}`)));
    return stored.filter((one) => one !== undefined).map((one) => JSON.parse(one.value) as CheckpointPointer);
  }
}

function keyOf(key: string, checkpointId: number): string {
  return `${key}/${String(checkpointId).padStart(ID_DIGITS, "0")}`;
}

/**
 * Numbers the checkpoints of a job over all its leaders: no two ever write into one `chk-<id>` directory. Flink: CheckpointIDCounter.
 */
export class CheckpointIdCounter {
  readonly #store: FencedStore;
  readonly #fencingToken: number;
  readonly #key: string;

  constructor(store: FencedStore, fencingToken: number, jobId: string) {
    this.#store = store;
    this.#fencingToken = fencingToken;
    this.#key = `jobs/${jobId}/checkpoint-id`;
  }

  /** The id the next checkpoint gets; 1 for a job's first. */
  async get(): Promise<number> {
    return Number((await this.#store.get(this.#key))?.value ?? 1);
  }

  /** Takes the next id. It belongs to the caller when this resolves, and to nobody else ever. @throws `LEADERSHIP_LOST`, `HA_CONFLICT`, `HA_UNAVAILABLE` */
  async getAndIncrement(): Promise<number> {
    const stored = await this.#store.get(this.#key);
    const id = Number(stored?.value ?? 1);
    await this.#put(id + 1, stored?.version ?? "absent");
    return id;
  }

  /** Moves on to at least `nextId`, after a restore from outside. Never back. */
  async advanceTo(nextId: number): Promise<void> {
    const stored = await this.#store.get(this.#key);
    if (Number(stored?.value ?? 1) < nextId) await this.#put(nextId, stored?.version ?? "absent");
  }

  async #put(nextId: number, expect: number | "absent"): Promise<void> {
    await this.#store.commit(this.#fencingToken, [{ type: "put", key: this.#key, value: String(nextId), expect }]);
  }
}
