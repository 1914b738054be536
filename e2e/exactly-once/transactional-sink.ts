import type { CommitRequest, Committer, CommittingSinkWriter, Sink } from "millrace";

interface Transaction {
  readonly id: string;
  readonly values: readonly string[];
}

/** An external system with transactions: what is committed is visible, once per transaction id. */
export class TransactionalSink implements Sink<string, Transaction> {
  readonly visible: string[] = [];
  readonly #committed = new Set<string>();
  readonly #visit: (place: string) => void;
  #transactions = 0;

  constructor(visit: (place: string) => void) {
    this.#visit = (step) => visit(`sink: ${step}`);
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
