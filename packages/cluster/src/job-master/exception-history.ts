import type { SerializedError } from "@millrace/core";
import type { TaskLocation } from "./job-view.js";

/** One failure of a task, or of what belongs to no task (a lost slot, a checkpoint). */
export interface FailureOfTask {
  readonly timestampMs: number;
  readonly taskName: string | undefined;
  readonly error: SerializedError;
  /** The attempt that failed, when it was a task. */
  readonly attemptNumber?: number;
  readonly location?: TaskLocation;
}

/** A failure that made the job restart or fail. Flink: RootExceptionHistoryEntry. */
export interface ExceptionHistoryEntry extends FailureOfTask {
  /** Failures that were reported while the job was already going down because of this one. */
  readonly concurrent: readonly FailureOfTask[];
}

const MAX_ENTRIES = 16;
const MAX_CONCURRENT = 32;

/** The last failures of a job, newest last. */
export class ExceptionHistory {
  #entries: (FailureOfTask & { readonly concurrent: FailureOfTask[] })[] = [];

  get entries(): readonly ExceptionHistoryEntry[] {
    return this.#entries;
  }

  add(failure: FailureOfTask): void {
    this.#entries.push({ ...failure, concurrent: [] });
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
  }

  addConcurrent(failure: FailureOfTask): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && last.concurrent.length < MAX_CONCURRENT) last.concurrent.push(failure);
  }
}
