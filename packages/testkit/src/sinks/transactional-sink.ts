import type { CommitRequest, Committer, CommittingSinkWriter, Sink } from "@millrace/core";

/** What a {@link TransactionalSink} commits. */
export interface Transaction {
  readonly id: string;
  readonly values: readonly string[];
}

/**
 * An external system with transactions, in memory: what is committed is visible, once per transaction id. For tests that make a job fail.
 *
 * `visit` is told of every place it passes (`createWriter`, `write`, `flush`, `prepareCommit`, `before commit`, `commit that is retried`,
 * `after commit`, `close of the writer`, `close of the committer`) and may throw there; a commit that is to be retried is.
 */
export class TransactionalSink implements Sink<string, Transaction> {
  readonly visible: string[] = [];
  readonly #committed = new Set<string>();
  readonly #visit: (place: string) => void;
  #transactions = 0;

  constructor(visit: (place: string) => void) {
    this.#visit = visit;
  }

  createWriter(): CommittingSinkWriter<string, Transaction> {
    this.#visit("createWriter");
    let open: string[] = [];
    return {
      write: (value) => {
        this.#visit("write");
        open.push(value);
      },
      flush: () => this.#visit("flush"),
      prepareCommit: () => {
        this.#visit("prepareCommit");
        const values = open;
        open = [];
        return values.length === 0 ? [] : [{ id: String(this.#transactions++), values }];
      },
      close: () => this.#visit("close of the writer"),
    };
  }

  createCommitter(): Committer<Transaction> {
    return { commit: (requests) => this.#commit(requests), close: () => this.#visit("close of the committer") };
  }

  #commit(requests: readonly CommitRequest<Transaction>[]): void {
    for (const request of requests) {
      this.#visit("before commit");
      try {
        this.#visit("commit that is retried");
      } catch {
        request.retryLater();
        continue;
      }
      const { id, values } = request.committable;
      if (this.#committed.has(id)) request.signalAlreadyCommitted();
      else {
        this.#committed.add(id);
        this.visible.push(...values);
      }
      this.#visit("after commit");
    }
  }
}
