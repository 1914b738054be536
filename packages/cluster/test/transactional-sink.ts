import type { CommitRequest, Committer, CommittingSinkWriter, Sink } from "@millrace/core";

interface Transaction {
  readonly id: string;
  readonly values: readonly string[];
}

/** An external system with transactions: what is committed is visible, once per transaction id. Called at the places where it may fail. */
export class TransactionalSink implements Sink<string, Transaction> {
  readonly visible: string[] = [];
  readonly #committed = new Set<string>();
  readonly #mayFail: (place: string) => void;
  #transactions = 0;

  constructor(mayFail: (place: string) => void) {
    this.#mayFail = mayFail;
  }

  createWriter(): CommittingSinkWriter<string, Transaction> {
    let open: string[] = [];
    return {
      write: (value) => {
        this.#mayFail("write");
        open.push(value);
      },
      flush: () => this.#mayFail("flush"),
      prepareCommit: () => {
        this.#mayFail("prepareCommit");
        const values = open;
        open = [];
        return values.length === 0 ? [] : [{ id: String(this.#transactions++), values }];
      },
      close: () => undefined,
    };
  }

  createCommitter(): Committer<Transaction> {
    return {
      commit: (requests: readonly CommitRequest<Transaction>[]) => {
        for (const request of requests) {
          this.#mayFail("before commit");
          const { id, values } = request.committable;
          if (this.#committed.has(id)) request.signalAlreadyCommitted();
          else {
            this.#committed.add(id);
            this.visible.push(...values);
          }
          this.#mayFail("after commit");
        }
      },
      close: () => undefined,
    };
  }
}
