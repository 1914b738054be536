import { MillraceError, isMillraceError } from "@millrace/core";
import type { Committer, CommitRequest } from "@millrace/core";
import type { ConnectionPool } from "../connection/connection-pool.js";
import type { ExactlyOnceSettings } from "./jdbc-sink-options.js";
import type { KeptTransactions } from "./kept-transactions.js";
import type { CommitOutcome, TransactionLog } from "./transaction-log.js";
import type { JdbcCommittable } from "./transaction-target.js";

export interface CommitterParts {
  readonly pool: ConnectionPool;
  readonly log: TransactionLog;
  readonly kept: KeptTransactions;
  readonly settings: ExactlyOnceSettings;
  /** Called when something was committed: then everything that was restored is committed, in all subtasks, unless it is what was restored itself. */
  readonly committed: () => Promise<void>;
  readonly warn: (line: string) => void;
}

/** A server may be away this long before an attempt to commit counts as one of `sink.committer.retries`. */
const COMMIT_LIMIT_MS = 30_000;

/** Commits the transactions of complete checkpoints, in the order in which they were prepared: a later one may wait for the locks of an earlier. */
export class JdbcCommitter implements Committer<JdbcCommittable> {
  readonly #parts: CommitterParts;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  async commit(requests: readonly CommitRequest<JdbcCommittable>[]): Promise<void> {
    for (const request of requests) await this.#commitOne(request);
    await this.#parts.committed();
  }

  async close(): Promise<void> {
    await this.#parts.pool.close();
  }

  async #commitOne(request: CommitRequest<JdbcCommittable>): Promise<void> {
    const { committable } = request;
    if (await this.#parts.kept.commit(committable.name)) return;
    let outcome: CommitOutcome;
    try {
      outcome = await this.#parts.log.commit(committable.name, COMMIT_LIMIT_MS);
    } catch (error) {
      if (isMillraceError(error) && error.code === "JDBC_UNREACHABLE") request.retryLater();
      else request.signalFailedWithKnownReason(error);
      return;
    }
    // Thrown as it is: a restart would find the same.
    if (outcome === "lost") this.#lost(committable);
    if (outcome === "elsewhere") request.retryLater();
    if (outcome === "already-committed") request.signalAlreadyCommitted();
  }

  #lost({ name, rows, preparedAtMs }: JdbcCommittable): void {
    const { settings, pool } = this.#parts;
    const ageMs = Date.now() - preparedAtMs;
    const isForgotten = ageMs > settings.retentionMs;
    const message = `transaction "${name}" of a complete checkpoint, with ${rows} rows, is neither prepared nor recorded as committed at ${pool.settings.place}: `
      + (isForgotten ? `its record may have been deleted, since it is older than recordRetention, or its rows are lost` : "it was rolled back, and its rows are lost");
    if (settings.onTransactionLost === "warn") {
      this.#parts.warn(message);
      return;
    }
    throw new MillraceError({
      code: "JDBC_TRANSACTION_LOST", message,
      hint: 'somebody rolled it back, the server lost it, or another job has the same transactionIdPrefix; go back to an earlier savepoint, or go on without the rows by onTransactionLost: "warn"',
    });
  }
}
