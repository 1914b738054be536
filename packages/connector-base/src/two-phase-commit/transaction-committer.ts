import { MillraceError, isMillraceError } from "@millrace/core";
import type { CommitRequest, Committer, SinkWriterContext } from "@millrace/core";
import type { UnitNames } from "../unit-names.js";
import type { Transaction, TransactionalConnection } from "./transactional-connection.js";
import type { TwoPhaseCommitSettings } from "./two-phase-commit-sink.js";

/** Commits the transactions of complete checkpoints, in order. */
export class TransactionCommitter<T, H> implements Committer<Transaction<H>> {
  readonly #context: SinkWriterContext;
  readonly #connection: TransactionalConnection<T, H>;
  readonly #names: UnitNames;
  readonly #settings: TwoPhaseCommitSettings;
  #isClean: boolean = false;

  constructor(context: SinkWriterContext, connection: TransactionalConnection<T, H>, names: UnitNames, settings: TwoPhaseCommitSettings) {
    this.#context = context;
    this.#connection = connection;
    this.#names = names;
    this.#settings = settings;
  }

  async commit(requests: readonly CommitRequest<Transaction<H>>[]): Promise<void> {
    for (const request of requests) await this.#commitOne(request);
    if (!this.#isClean && requests.some(({ committable }) => this.#names.isOwn(committable.id))) await this.#abortOthers();
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #commitOne(request: CommitRequest<Transaction<H>>): Promise<void> {
    const { committable: transaction } = request;
    const ageMs = this.#context.clock.nowMs() - transaction.beganMs;
    try {
      const outcome = await this.#connection.commit(transaction);
      if (outcome === "lost") this.#lost(transaction, ageMs);
      else if (outcome === "already-committed") request.signalAlreadyCommitted();
      else if (ageMs > this.#settings.warnAfterMs) {
        this.#context.log("warn", `transaction "${transaction.id}" was committed ${ageMs} ms after it began; the external system gives it up after ${this.#settings.transactionTimeoutMs} ms`);
      }
    } catch (error) {
      if (isMillraceError(error) && error.recovery === "retry") request.retryLater();
      else request.signalFailedWithKnownReason(error);
    }
  }

  #lost({ id }: Transaction<H>, ageMs: number): void {
    const message = `the external system has given up transaction "${id}", whose checkpoint is complete, ${ageMs} ms after it began: its records are lost`;
    if (this.#settings.onTransactionLost === "warn") {
      this.#context.log("warn", message);
      return;
    }
    throw new MillraceError({
      code: "SINK_TRANSACTION_LOST", message,
      hint: 'the job was away for longer than the system keeps transactions, or another job has the same transactionalIdPrefix; go back to an earlier savepoint, or go on without them by onTransactionLost: "warn"',
    });
  }

  /** With the first commit of this attempt a checkpoint of it is complete: all subtasks have committed what they restored, and what else there is nobody will. */
  async #abortOthers(): Promise<void> {
    this.#isClean = true;
    for (const id of await this.#connection.listUncommitted(`${this.#names.prefix}-`)) {
      if (this.#names.isLeftoverOfOthers(id)) await this.#connection.abort(id);
    }
  }
}
