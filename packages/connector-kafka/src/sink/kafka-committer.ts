import { MillraceError, isMillraceError } from "@millrace/core";
import type { Committer, CommitRequest } from "@millrace/core";
import type { KafkaClient } from "../client/kafka-client.js";
import type { LogPosition } from "../client/kafka-producer.js";
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
      if (outcome === "lost" || outcome === "unknown") this.#complain(committable, outcome);
      if (outcome === "already-committed") request.signalAlreadyCommitted();
      this.#parts.pool()?.committed(committable.transactionalId);
    } catch (error) {
      if (isMillraceError(error) && error.code === "KAFKA_UNREACHABLE") request.retryLater();
      else request.signalFailedWithKnownReason(error);
    }
  }

  #complain({ transactionalId, written = [] }: KafkaCommittable, outcome: "lost" | "unknown"): void {
    const error = outcome === "lost" ? lost(transactionalId) : unknown(transactionalId, written);
    if (this.#parts.onTransactionLost !== "warn") throw error;
    this.#parts.warn(error.message);
  }
}

function lost(transactionalId: string): MillraceError {
  return new MillraceError({
    code: "KAFKA_TRANSACTION_LOST", message: `Kafka has aborted transaction "${transactionalId}", whose checkpoint is complete: its records are lost`,
    hint: 'the job was away for longer than transactionTimeoutMs, or another job has the same transactionalIdPrefix; go back to an earlier savepoint, or go on without them by onTransactionLost: "warn"',
  });
}

function unknown(transactionalId: string, written: readonly LogPosition[]): MillraceError {
  const where = written.map(({ topic, partition, offset }) => `${topic}-${partition} from offset ${offset}`).join(", ");
  return new MillraceError({
    code: "KAFKA_TRANSACTION_UNKNOWN",
    message: `whether transaction "${transactionalId}" of a complete checkpoint was committed cannot be said: its id was used again, and ${where === "" ? "where it was written is not known" : `its end is not in the log (${where})`}`,
    hint: 'retention has deleted it, or the topic was deleted; look whether its records are there, and go on by onTransactionLost: "warn", or go back to an earlier savepoint',
  });
}
