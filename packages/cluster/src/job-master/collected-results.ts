import type { SpillFile } from "@millrace/runtime";
import { HeldResults, type ResultTarget } from "./held-results.js";
import type { ResultRoom } from "./result-room.js";

/** Takes released results, in order per (collectId, subtask). What it returns resolves when more may come. */
export type ResultTaker = (collectId: string, subtaskIndex: number, batch: ArrayBuffer) => void | Promise<void>;

export interface CollectedBatch extends ResultTarget {
  readonly batch: ArrayBuffer;
  readonly afterCheckpoint: number;
  /** Index of the region it comes from. */
  readonly region: number;
}

export interface CollectedResultsInit {
  readonly take: ResultTaker;
  /** Absent: nothing is produced twice, so nothing is held. */
  readonly hold?: {
    /** This job's: what finds no room in memory waits in files. */
    readonly room: ResultRoom;
    /** A new one each time. */
    readonly openFile: () => SpillFile;
    /** Called when a batch finds no room in files either; it is lost, and the job cannot go on. */
    readonly onFull: (batchBytes: number) => void;
  } | undefined;
}

interface Held {
  readonly region: number;
  readonly afterCheckpoint: number;
  readonly results: HeldResults;
}

/**
 * Results on their way from sinks to the program. With `hold`, they wait for the checkpoint that covers them, so that a failure never shows a
 * result twice; what is still held when the job fails will be produced again. Those that a checkpoint covers go to the program as it takes them; while more
 * than the job's memory of them wait for it, whoever adds does, too. So what is in memory is bounded, whatever the program does and however long a checkpoint takes.
 */
export class CollectedResults {
  readonly #take: ResultTaker;
  readonly #hold: CollectedResultsInit["hold"];
  readonly #targets = new Map<string, ResultTarget>();
  /** In the order of their checkpoints, for each region. */
  #held: Held[] = [];
  /** Covered by a checkpoint. */
  #released: HeldResults[] = [];
  #releasedBytes = 0;
  /** The program, or a file, is waited for. Each wait is another object, so that one that was given up has no effect. */
  #waiting: object | undefined;
  #room: PromiseWithResolvers | undefined;
  #delivered: PromiseWithResolvers | undefined;

  constructor({ take, hold }: CollectedResultsInit) {
    this.#take = take;
    this.#hold = hold;
  }

  /** Bytes of results in memory. */
  get memoryBytes(): number {
    return this.#hold?.room.memory.usedBytes ?? 0;
  }

  /** @returns when it may be told that the batch was taken; nothing when it was: one that is held in memory has been */
  add({ collectId, subtaskIndex, batch, afterCheckpoint, region }: CollectedBatch): void | Promise<void> {
    if (this.#hold === undefined) return this.#take(collectId, subtaskIndex, batch);
    const stored = this.#of(region, afterCheckpoint).add({ target: this.#target(collectId, subtaskIndex), batch });
    if (stored === false) {
      this.#hold.onFull(batch.byteLength);
      // Its sink waits until the job ends.
      return new Promise(() => undefined);
    }
    if (this.#releasedBytes <= this.#hold.room.memory.limitBytes) return stored;
    const { promise } = (this.#room ??= withResolvers());
    return stored === undefined ? promise : stored.then(() => promise);
  }

  checkpointComplete(checkpointId: number): void {
    const covered = this.#held.filter(({ afterCheckpoint }) => afterCheckpoint < checkpointId).sort((a, b) => a.afterCheckpoint - b.afterCheckpoint);
    if (covered.length === 0) return;
    this.#held = this.#held.filter(({ afterCheckpoint }) => afterCheckpoint >= checkpointId);
    for (const { results } of covered) {
      this.#released.push(results);
      this.#releasedBytes += results.bytes;
    }
    this.#deliver();
  }

  /** A region, or all of the job, goes back to the last checkpoint. What that covers stays on its way. */
  drop(region?: number): void {
    for (const held of this.#held) if (region === undefined || held.region === region) held.results.close();
    this.#held = region === undefined ? [] : this.#held.filter((held) => held.region !== region);
  }

  /** Nobody is to get anything any more: the job was cancelled, or another leader goes on with it. */
  dropAll(): void {
    this.drop();
    for (const results of this.#released) results.close();
    this.#released = [];
    this.#releasedBytes = 0;
    this.#waiting = undefined;
    this.#deliver();
  }

  /** The job finished: nothing can be produced again. */
  releaseAll(): void {
    this.checkpointComplete(Number.POSITIVE_INFINITY);
  }

  /** Resolves when nothing waits for the program any more. */
  delivered(): Promise<void> {
    if (this.#released.length === 0) return Promise.resolve();
    return (this.#delivered ??= withResolvers()).promise;
  }

  #of(region: number, afterCheckpoint: number): HeldResults {
    const found = this.#held.find((held) => held.region === region && held.afterCheckpoint === afterCheckpoint);
    if (found !== undefined) return found.results;
    const results = new HeldResults(this.#hold!.room, this.#hold!.openFile);
    this.#held.push({ region, afterCheckpoint, results });
    return results;
  }

  #target(collectId: string, subtaskIndex: number): ResultTarget {
    const key = `${subtaskIndex} ${collectId}`;
    let target = this.#targets.get(key);
    if (target === undefined) this.#targets.set(key, (target = { collectId, subtaskIndex }));
    return target;
  }

  /** Gives the program what it takes. */
  #deliver(): void {
    for (let results = this.#released[0]; results !== undefined && this.#waiting === undefined; results = this.#released[0]) {
      const result = results.take(() => this.#goOn(undefined));
      if (result === undefined) {
        if (!results.isEmpty) break;
        results.close();
        this.#released.shift();
        continue;
      }
      this.#releasedBytes -= result.batch.byteLength;
      const { target: { collectId, subtaskIndex }, batch } = result;
      const taken = this.#take(collectId, subtaskIndex, batch);
      if (taken === undefined) continue;
      const wait = (this.#waiting = {});
      const goOn = (): void => this.#goOn(wait);
      taken.then(goOn, goOn);
    }
    if (this.#releasedBytes <= (this.#hold?.room.memory.limitBytes ?? 0)) this.#room = resolved(this.#room);
    if (this.#released.length === 0) this.#delivered = resolved(this.#delivered);
  }

  #goOn(wait: object | undefined): void {
    if (this.#waiting !== wait) return;
    this.#waiting = undefined;
    this.#deliver();
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

function resolved(waiting: PromiseWithResolvers | undefined): undefined {
  waiting?.resolve();
  return undefined;
}
