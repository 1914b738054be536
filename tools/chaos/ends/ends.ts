import type { Entry } from "../check/entries.js";

/** Where a job's input comes from. */
export interface Input {
  /** Arguments of the job. */
  readonly args: readonly string[];
  /** Resolves once they are there, each once and behind all before them. */
  write(entries: readonly Entry[]): Promise<void>;
  close(): Promise<void>;
}

/** Where a job's results go. */
export interface Output {
  readonly args: readonly string[];
  /** Results that are committed, as far as is known. */
  readonly count: number;
  /** Looks again. */
  refresh(): Promise<void>;
  /** Everything that is committed, read by whoever else can; called once the job has ended. What readers do not agree on is a complaint. */
  readAll(): Promise<{ readonly lines: readonly string[]; readonly complaints: readonly string[] }>;
  close(): Promise<void>;
}
