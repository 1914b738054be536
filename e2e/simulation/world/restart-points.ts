import { METADATA_FILE } from "@millrace/cluster";
import type { SimulatedDisk } from "@millrace/env-sim";
import type { CommitLedger } from "./commit-ledger.js";
import type { ExternalStore } from "./external-store.js";
import type { Invariants } from "./invariants.js";

/** A job that was submitted, and what it began from. */
export interface SubmittedJob {
  readonly jobId: string;
  readonly restoredFrom: string | undefined;
}

interface Savepoint {
  readonly path: string;
  readonly jobId: string;
  readonly checkpointId: number;
  /** How many transactions had been given up when it was taken. */
  readonly aborted: number;
}

export const SAVEPOINTS = "/savepoints";
/** Savepoints that a job is to stop behind. */
export const STOP_SAVEPOINTS = `${SAVEPOINTS}/stop`;

/** What a job can be started from again, for somebody who knows the directories and, with high availability, what leaders have committed. */
export class RestartPoints {
  readonly #disk: SimulatedDisk;
  readonly #store: ExternalStore;
  /** With high availability. */
  readonly #commits: CommitLedger | undefined;
  readonly #savepoints: Savepoint[] = [];

  constructor(disk: SimulatedDisk, store: ExternalStore, commits: CommitLedger | undefined, invariants: Invariants) {
    this.#disk = disk;
    this.#store = store;
    this.#commits = commits;
    invariants.onSavepoint = (path, { jobId, checkpointId }) => void this.#savepoints.push({ path, jobId, checkpointId, aborted: store.aborted });
  }

  /** The newest state of a job that does not run; while it has none, what it began from. */
  newest({ jobId, restoredFrom }: SubmittedJob): string | undefined {
    const candidates = [...this.#checkpoints(jobId), ...this.#savepoints.filter((savepoint) => savepoint.jobId === jobId && this.#isUsable(savepoint))];
    return candidates.sort((a, b) => a.checkpointId - b.checkpointId).at(-1)?.path ?? restoredFrom;
  }

  #checkpoints(jobId: string): { readonly path: string; readonly checkpointId: number }[] {
    const pointer = this.#commits?.latest(jobId);
    if (this.#commits !== undefined) return pointer === undefined ? [] : [pointer];
    const directory = `/checkpoints/${jobId}/chk-`;
    const complete = this.#disk.paths.filter((path) => path.startsWith(directory) && path.endsWith(`/${METADATA_FILE}`));
    return complete.map((path) => path.slice(0, -METADATA_FILE.length - 1)).map((path) => ({ path, checkpointId: Number(path.slice(directory.length)) }));
  }

  /** One that the job did not stop behind is of use while nothing was given up that it may still have to commit. */
  #isUsable({ path, aborted }: Savepoint): boolean {
    if (this.#disk.peek(`${path}/${METADATA_FILE}`) === undefined) return false;
    return path.startsWith(`${STOP_SAVEPOINTS}/`) ? this.#commits === undefined : aborted === this.#store.aborted;
  }
}
