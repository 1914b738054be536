import { MillraceError, isMillraceError } from "@millrace/core";
import type { Committer, CommitRequest } from "@millrace/core";
import type { KafkaClient } from "../client/kafka-client.js";
import { commitTransaction } from "./transactions.js";
import type { KafkaCommittable, TransactionPool } from "./transaction-pool.js";

export interface CommitterParts {
  readonly client: KafkaClient;
  /** That of this subtask's writer; there is none while what was restored is committed. */
  readonly pool: () => TransactionPool | undefined;
  /** After the first checkpoint of this attempt that had something to commit. */
  readonly firstCommitted: () => Promise<void>;
  readonly onTransactionLost: "fail" | "warn";
  readonly warn: (line: string) => void;
}

/** Commits the transactions of complete checkpoints, several at a time. */
export class KafkaCommitter implements Committer<KafkaCommittable> {
  readonly #parts: CommitterParts;
  #cleaned: boolean = false;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  async commit(requests: readonly CommitRequest<KafkaCommittable>[]): Promise<void> {
    const pool = this.#parts.pool();
    if (requests.every(({ numberOfRetries }) => numberOfRetries === 0)) pool?.beginCommits(Math.max(...requests.map(({ committable }) => committable.sequence)));
    await Promise.all(requests.map((request) => this.#commitOne(request)));
    if (pool === undefined || this.#cleaned) return;
    this.#cleaned = true;
    await this.#parts.firstCommitted();
  }

  close(): void {
    this.#parts.client.close();
  }

  async #commitOne(request: CommitRequest<KafkaCommittable>): Promise<void> {
    const { committable } = request;
    try {
      const outcome = await commitTransaction(this.#parts.client, committable);
      if (outcome === "lost") this.#lost(committable);
      if (outcome === "already-committed") request.signalAlreadyCommitted();
      this.#parts.pool()?.committed(committable.transactionalId);
    } catch (error) {
      if (isMillraceError(error) && error.code === "KAFKA_UNREACHABLE") request.retryLater();
      else request.signalFailedWithKnownReason(error);
    }
  }

  #lost({ transactionalId }: KafkaCommittable): void {
    const message = `Kafka has aborted transaction "${transactionalId}", whose checkpoint is complete: its records are lost`;
    if (this.#parts.onTransactionLost === "warn") {
      this.#parts.warn(message);
      return;
    }
    throw new MillraceError({
      code: "KAFKA_TRANSACTION_LOST", message,
      hint: 'the job was away for longer than transactionTimeoutMs, or another job has the same transactionalIdPrefix; go back to an earlier savepoint, or go on without them by onTransactionLost: "warn"',
    });
  }
}
