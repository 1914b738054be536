import { MillraceError } from "@millrace/core";

interface StoredTransaction<T> {
  readonly values: T[];
  prepared: boolean;
}

/**
 * An external system with transactions that can be prepared, in memory. {@link connect} makes the connections that a `TwoPhaseCommitSink` of
 * `@millrace/connector-base` needs; a transaction that is not prepared ends with its connection, as in a database.
 */
export class TransactionalStore<T> {
  /** What is committed, in the order of commits. */
  readonly visible: T[] = [];
  /** While it is false, every call fails. */
  isReachable: boolean = true;
  readonly #uncommitted = new Map<string, StoredTransaction<T>>();
  readonly #committed = new Set<string>();

  /** Ids of open and prepared transactions. */
  get uncommitted(): readonly string[] {
    return [...this.#uncommitted.keys()].sort();
  }

  connect(): StoreConnection<T> {
    let open: string | undefined;
    return {
      begin: (id) => {
        this.#reach();
        if (this.#committed.has(id) || this.#uncommitted.has(id)) throw new MillraceError({ code: "TRANSACTION_EXISTS", message: `there is a transaction "${id}" already` });
        this.#uncommitted.set(id, { values: [], prepared: false });
        open = id;
        return undefined;
      },
      write: ({ id }, value) => {
        this.#reach();
        this.#find(id).values.push(value);
      },
      preCommit: ({ id }) => {
        this.#reach();
        this.#find(id).prepared = true;
        open = undefined;
      },
      commit: ({ id }) => {
        this.#reach();
        if (this.#committed.has(id)) return "already-committed";
        const transaction = this.#uncommitted.get(id);
        if (transaction?.prepared !== true) return "lost";
        this.#uncommitted.delete(id);
        this.#committed.add(id);
        this.visible.push(...transaction.values);
        return "committed";
      },
      abort: (id) => {
        this.#reach();
        this.#uncommitted.delete(id);
      },
      listUncommitted: (prefix) => {
        this.#reach();
        return this.uncommitted.filter((id) => id.startsWith(prefix));
      },
      close: () => {
        if (open !== undefined) this.#uncommitted.delete(open);
      },
    };
  }

  #find(id: string): StoredTransaction<T> {
    const transaction = this.#uncommitted.get(id);
    if (transaction === undefined || transaction.prepared) throw new MillraceError({ code: "TRANSACTION_NOT_OPEN", message: `the transaction "${id}" is not open`, recovery: "restart" });
    return transaction;
  }

  #reach(): void {
    if (!this.isReachable) throw new MillraceError({ code: "STORE_UNREACHABLE", message: "the store is not reachable", recovery: "restart" });
  }
}

/** A connection to a {@link TransactionalStore}. */
export interface StoreConnection<T> {
  begin(id: string): undefined;
  write(transaction: { readonly id: string }, value: T): void;
  preCommit(transaction: { readonly id: string }): void;
  commit(transaction: { readonly id: string }): "committed" | "already-committed" | "lost";
  abort(id: string): void;
  listUncommitted(prefix: string): readonly string[];
  close(): void;
}
