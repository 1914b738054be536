import type { Env, FencedStore, SerializedError } from "@millrace/core";
import type { CompletedStop } from "../job-master/job-end.js";

/** How a job ended. */
export interface JobResult {
  readonly jobId: string;
  readonly jobName: string;
  readonly state: "FINISHED" | "FAILED" | "CANCELED";
  readonly startTimeMs: number;
  readonly endTimeMs: number;
  readonly error?: SerializedError;
  /** Of a job that finished: its accumulators in core's value codec, base64; left out when they are large. */
  readonly accumulators?: string;
  /** The stop behind a savepoint that it finished by. */
  readonly stop?: CompletedStop | undefined;
}

export interface JobResultStoreInit {
  readonly env: Pick<Env, "fs">;
  readonly store: FencedStore;
  readonly fencingToken: number;
  /** Absolute; results of jobs that are cleaned up, one file each. */
  readonly directory: string;
  /** `job-result-store.delete-on-commit` */
  readonly deleteOnCommit: boolean;
}

/**
 * Jobs that have reached their end and must never run again. A result is *dirty* while the job's remains (plan, checkpoints) are there, and
 * *clean* after. A new leader asks here before it recovers a plan, and finishes the cleanup of dirty results. Flink: JobResultStore.
 *
 * Dirty results are in the fenced store. Clean ones are files: a job that ended stays ended, so it does no harm when a deposed leader says so
 * a second time.
 */
export class JobResultStore {
  readonly #init: JobResultStoreInit;

  constructor(init: JobResultStoreInit) {
    this.#init = init;
  }

  /** The job's end is decided when this resolves; nothing of it may be deleted before. @throws `LEADERSHIP_LOST`, `HA_UNAVAILABLE` */
  async createDirtyResult(result: JobResult): Promise<void> {
    await this.#init.store.commit(this.#init.fencingToken, [{ type: "put", key: resultKey(result.jobId), value: JSON.stringify(result) }]);
  }

  /** Nothing of the job is left. Again is fine. */
  async markResultAsClean(jobId: string): Promise<void> {
    const { env, store, fencingToken, directory, deleteOnCommit } = this.#init;
    const stored = await store.get(resultKey(jobId));
    if (stored === undefined) return;
    if (!deleteOnCommit) await env.fs.writeAtomic(`${directory}/${jobId}.json`, new TextEncoder().encode(stored.value));
    await store.commit(fencingToken, [{ type: "delete", key: resultKey(jobId) }]);
  }

  /** Whether the job has ended, cleaned up or not. */
  async hasJobResult(jobId: string): Promise<boolean> {
    return (await this.hasDirtyResult(jobId)) || (await this.#init.env.fs.status(`${this.#init.directory}/${jobId}.json`)) !== undefined;
  }

  /** How a job ended; `undefined` when it has not, or its result was deleted. @throws what the storage throws */
  async get(jobId: string): Promise<JobResult | undefined> {
    const dirty = await this.#init.store.get(resultKey(jobId));
    if (dirty !== undefined) return JSON.parse(dirty.value) as JobResult;
    const path = `${this.#init.directory}/${jobId}.json`;
    if ((await this.#init.env.fs.status(path)) === undefined) return undefined;
    return JSON.parse(new TextDecoder().decode(await this.#init.env.fs.readFile(path))) as JobResult;
  }

  async hasDirtyResult(jobId: string): Promise<boolean> {
    return (await this.#init.store.get(resultKey(jobId))) !== undefined;
  }

  /** Jobs that ended and still have to be cleaned up. */
  async dirtyResults(): Promise<JobResult[]> {
    const { store } = this.#init;
    const values = await Promise.all((await store.list("results")).map((jobId) => store.get(resultKey(jobId))));
    return values.filter((stored) => stored !== undefined).map((stored) => JSON.parse(stored.value) as JobResult);
  }
}

function resultKey(jobId: string): string {
  return `results/${jobId}`;
}
