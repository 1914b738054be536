import type { CheckpointPointer } from "@millrace/cluster";
import type { Coordination, StoreChange, StoredValue } from "@millrace/core";

const POINTER_KEY = /^jobs\/([0-9a-f]+)\/checkpoints\/\d+$/;

/**
 * Listens to what leaders commit: whoever has a smaller token than somebody who has committed before has no effect any more, and a job's checkpoints
 * have rising ids over all its leaders.
 */
export class CommitLedger {
  /** Told of each checkpoint that a leader has made known, once. */
  onCheckpoint: ((jobId: string, pointer: CheckpointPointer) => void) | undefined;
  /** Asked when a leader is about to make a checkpoint known; `true`: it has died over it, and the commit is not made. */
  diesCommitting: ((host: string) => boolean) | undefined;
  readonly #violate: (what: string) => void;
  readonly #latest = new Map<string, CheckpointPointer>();
  readonly #tokens = new Set<number>();
  /** Who committed last for a job. */
  readonly #tokenOf = new Map<string, number>();
  #newestToken = 0;
  /** Jobs that another leader went on with, each time. */
  recoveries = 0;

  constructor(violate: (what: string) => void) {
    this.#violate = violate;
  }

  /** The newest checkpoint of a job that the next leader would begin with, as far as anybody was told of it. */
  latest(jobId: string): CheckpointPointer | undefined {
    return this.#latest.get(jobId);
  }

  /** Leaders that have committed something. */
  get leaders(): number {
    return this.#tokens.size;
  }

  /** The same coordination as a process on `host` has it, listened to. */
  tap(coordination: Coordination, host: string): Coordination {
    const { store } = coordination;
    return {
      elect: (contender, listener) => coordination.elect(contender, listener),
      watchLeader: (listener) => coordination.watchLeader(listener),
      close: () => coordination.close(),
      store: {
        list: (key) => store.list(key),
        get: async (key) => {
          const stored = await store.get(key);
          this.#read(key, stored);
          return stored;
        },
        commit: async (fencingToken, changes) => {
          if (changes.some(({ key }) => POINTER_KEY.test(key)) && this.diesCommitting?.(host) === true) return new Promise(() => undefined);
          const newestBefore = this.#newestToken;
          await store.commit(fencingToken, changes);
          if (fencingToken < newestBefore) this.#violate(`a commit under token ${fencingToken} has an effect after one under token ${newestBefore}`);
          this.#newestToken = Math.max(this.#newestToken, fencingToken);
          this.#tokens.add(fencingToken);
          for (const change of changes) this.#committed(change, fencingToken);
        },
      },
    };
  }

  #committed(change: StoreChange, fencingToken: number): void {
    const jobId = POINTER_KEY.exec(change.key)?.[1];
    if (jobId === undefined || change.type !== "put") return;
    const pointer = JSON.parse(change.value) as CheckpointPointer;
    const newestToken = this.#tokenOf.get(jobId) ?? fencingToken;
    // The answer may come when a later leader has committed, too: that it had no effect by then is seen above.
    if (fencingToken < newestToken) return;
    const before = this.#latest.get(jobId);
    if (before !== undefined && pointer.checkpointId < before.checkpointId) this.#violate(`checkpoint ${pointer.checkpointId} of job ${jobId} is complete after checkpoint ${before.checkpointId}`);
    if (newestToken !== fencingToken) this.recoveries++;
    this.#tokenOf.set(jobId, fencingToken);
    this.#found(jobId, pointer);
  }

  /** Commits that nobody was told of may have been made all the same. */
  #read(key: string, stored: StoredValue | undefined): void {
    const jobId = POINTER_KEY.exec(key)?.[1];
    if (jobId !== undefined && stored !== undefined) this.#found(jobId, JSON.parse(stored.value) as CheckpointPointer);
  }

  #found(jobId: string, pointer: CheckpointPointer): void {
    if (pointer.checkpointId <= (this.#latest.get(jobId)?.checkpointId ?? 0)) return;
    this.#latest.set(jobId, pointer);
    this.onCheckpoint?.(jobId, pointer);
  }
}
