import type { SinkWriteContext } from "@millrace/core";

/** One transaction of an external system, as it is kept in checkpoints: with this alone, any process can commit it. */
export interface Transaction<H = undefined> {
  /** Never used twice; letters, digits and dashes behind the prefix, some 50 of them. */
  readonly id: string;
  /** What `begin` returned: what else the system needs to find it. A plain value. */
  readonly handle: H;
  /** When it began, in milliseconds since the epoch. */
  readonly beganMs: number;
}

/** What a commit came to. `lost`: the external system has given the transaction up, its records are not there. */
export type CommitOutcome = "committed" | "already-committed" | "lost";

/**
 * A connection to an external system that has transactions. Implement it to write exactly once: {@link TwoPhaseCommitSink} makes one for the writer and one for
 * the committer of each subtask, and calls each from the task's thread, one call at a time. What any method throws fails the job, which restarts from its last
 * checkpoint; a `MillraceError` with `recovery: "retry"` from `commit` makes it try again first.
 */
export interface TransactionalConnection<T, H = undefined> {
  /** Begins a transaction under this id; called with its first record. */
  begin(id: string): H | Promise<H>;
  /** Adds a record to the transaction that was begun last. */
  write(transaction: Transaction<H>, value: T, context: SinkWriteContext): void | Promise<void>;
  /**
   * Prepares it: everything written is stored by the external system, survives the end of this connection and of this process, and only waits for the commit.
   * Nothing is written to it any more. (`PREPARE TRANSACTION` in PostgreSQL.)
   */
  preCommit(transaction: Transaction<H>): void | Promise<void>;
  /**
   * Makes it visible. By another connection and often another process than the one that prepared it. Idempotent: after a failure, or when the answer was lost,
   * it is called again, for days; then it must say `"already-committed"` and change nothing. It must not say so of one that was aborted: that is `"lost"`.
   */
  commit(transaction: Transaction<H>): CommitOutcome | Promise<CommitOutcome>;
  /** Drops it and everything in it; fine when it is not there (any more). Called for open and for prepared ones, by any connection. */
  abort(id: string): void | Promise<void>;
  /** Ids beginning with `prefix` of all transactions, open or prepared, that are neither committed nor aborted; `[]` when the system cannot tell. */
  listUncommitted(prefix: string): readonly string[] | Promise<readonly string[]>;
  close(): void | Promise<void>;
}
