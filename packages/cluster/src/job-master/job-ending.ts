import { serializeError, type Configuration, type SerializedError } from "@millrace/core";
import type { JobExecutionResult } from "@millrace/graph";
import type { CheckpointStore } from "../checkpoint/checkpoint-store.js";
import { jobCanceled, jobFailed, type JobEnd } from "./job-end.js";
import { deleteLeftovers } from "./job-leftovers.js";
import type { JobMasterInit } from "./job-master-init.js";

/** How a job comes to its end: once; and it is certain before anything is deleted, and everything is deleted before anybody is told. */
export class JobEnding {
  /** See `JobMaster.result`. */
  readonly result: Promise<JobExecutionResult>;
  /** What the job was submitted with: never its own. */
  restoredFrom: string | undefined;
  readonly #init: JobMasterInit;
  readonly #config: Configuration;
  readonly #store: CheckpointStore;
  #settle!: { readonly resolve: (result: JobExecutionResult) => void; readonly reject: (error: unknown) => void };
  #begun = false;
  #recovering: Promise<void> | undefined;
  #restoring: Promise<void> | undefined;

  constructor(init: JobMasterInit, config: Configuration, store: CheckpointStore) {
    this.#init = init;
    this.#config = config;
    this.#store = store;
    this.result = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.result.catch(() => undefined);
  }

  /** `false` when it has begun before. */
  begin(): boolean {
    const isFirst = !this.#begun;
    this.#begun = true;
    return isFirst;
  }

  /** Reads what earlier leaders have completed. What cannot be read is not deleted either: it may be mended. @throws what the store throws */
  async recover(): Promise<void> {
    if (this.#store.recover === undefined) return;
    this.#recovering = this.#store.recover();
    await this.#recovering;
  }

  /** Nothing is deleted before this has settled: it may be about to make a checkpoint the job's own, which retention then speaks of. */
  after(restoring: Promise<void>): Promise<void> {
    this.#restoring = restoring.catch(() => undefined);
    return restoring;
  }

  /** Resolves when the end is written down and what the job leaves behind is gone. */
  async decide(end: JobEnd): Promise<void> {
    await this.#restoring;
    const unreadable = await this.#recovering?.then(() => false, () => true);
    await this.#init.onDecided?.(end);
    await deleteLeftovers(this.#init, this.#config, this.#store, { status: end.status, unreadable: unreadable === true, restoredFrom: this.restoredFrom });
  }

  /** Tells who waits for the result. */
  tell({ status, result, error }: JobEnd, restarts: number): void {
    const { jobName } = this.#init.jobGraph;
    if (status === "FINISHED") this.#settle.resolve(result!);
    else this.#settle.reject(status === "CANCELED" ? jobCanceled(jobName) : jobFailed(jobName, restarts, error ?? unknownCause()));
  }

  /** Somebody else goes on with the job. */
  abandon(error: unknown): void {
    this.#settle.reject(error);
  }
}

function unknownCause(): SerializedError {
  return serializeError(new Error("the cause is not known"));
}
