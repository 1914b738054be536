import type { SerializedError } from "@millrace/core";

/** A failure that made the job restart or fail. Flink: RootExceptionHistoryEntry. */
export interface ExceptionHistoryEntry {
  readonly timestampMs: number;
  /** `undefined` when the failure belongs to no task (a lost slot, a checkpoint). */
  readonly taskName: string | undefined;
  readonly error: SerializedError;
  /** Failures that were reported while the job was already going down because of this one. */
  readonly concurrent: readonly { readonly taskName: string | undefined; readonly error: SerializedError }[];
}

const MAX_ENTRIES = 16;
const MAX_CONCURRENT = 32;

/** The last failures of a job, newest last. */
export class ExceptionHistory {
  #entries: { timestampMs: number; taskName: string | undefined; error: SerializedError; concurrent: { taskName: string | undefined; error: SerializedError }[] }[] = [];

  get entries(): readonly ExceptionHistoryEntry[] {
    return this.#entries;
  }

  add(timestampMs: number, taskName: string | undefined, error: SerializedError): void {
    this.#entries.push({ timestampMs, taskName, error, concurrent: [] });
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
  }

  addConcurrent(taskName: string | undefined, error: SerializedError): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && last.concurrent.length < MAX_CONCURRENT) last.concurrent.push({ taskName, error });
  }
}
