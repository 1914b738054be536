import assert from "node:assert/strict";
import { test } from "node:test";
import { isMillraceError } from "@millrace/core";
import { sinkGuarantees, TransactionalStore, type SinkGuaranteesOptions, type StoreConnection } from "@millrace/testkit";
import { TwoPhaseCommitSink } from "../src/index.js";
import { noticed } from "./support/noticed.js";

type Connect = (store: TransactionalStore<string>) => StoreConnection<string>;

function options(connect: Connect = (store) => store.connect()): SinkGuaranteesOptions<string> {
  return {
    name: "two-phase commit", guarantee: "exactly-once",
    open: () => {
      const store = new TransactionalStore<string>();
      return {
        sink: () => TwoPhaseCommitSink.of<string>({ connect: () => connect(store), transactionalIdPrefix: "test" }),
        read: () => store.visible, pending: () => store.uncommitted,
        outage: { begin: () => void (store.isReachable = false), end: () => void (store.isReachable = true) },
      };
    },
  };
}

for (const { name, run } of sinkGuarantees(options())) test(name, run);

/** Connections that break their contract, each in one way. */
const mutants: Readonly<Record<string, { readonly connect: Connect; readonly says: RegExp }>> = {
  "a commit that is not idempotent": {
    connect: (store) => {
      const connection = store.connect();
      const contents = new Map<string, string[]>();
      return {
        ...connection,
        write: (transaction, value) => {
          contents.set(transaction.id, [...(contents.get(transaction.id) ?? []), value]);
          connection.write(transaction, value);
          Object.assign(transaction, { handle: contents.get(transaction.id) });
        },
        commit: (transaction) => {
          const outcome = connection.commit(transaction);
          if (outcome === "already-committed") store.visible.push(...((transaction as unknown as { handle: string[] }).handle));
          return outcome;
        },
      };
    },
    says: /too often/,
  },
  "a commit that takes what was done for lost": {
    connect: (store) => {
      const connection = store.connect();
      return { ...connection, commit: (transaction) => (connection.commit(transaction) === "committed" ? "committed" : "lost") };
    },
    says: /./,
  },
  "an abort that does nothing": { connect: (store) => ({ ...store.connect(), abort: () => undefined }), says: /left open or prepared/ },
  "leftovers that are not listed": { connect: (store) => ({ ...store.connect(), listUncommitted: () => [] }), says: /left open or prepared/ },
  "a prepare that does not store": {
    connect: (store) => {
      const connection = store.connect();
      let buffer: [{ readonly id: string }, string][] = [];
      // Written when the buffer is full or the next transaction begins, not when this one is prepared.
      return {
        ...connection,
        write: (transaction, value) => {
          buffer.push([transaction, value]);
          if (buffer.length < 3) return;
          for (const [into, one] of buffer) connection.write(into, one);
          buffer = [];
        },
        preCommit: (transaction) => {
          buffer = [];
          connection.preCommit(transaction);
        },
      };
    },
    says: /lost/,
  },
  "a commit that is said to be done and is not": { connect: (store) => ({ ...store.connect(), commit: () => "committed" }), says: /lost/ },
  "records visible before the commit": {
    connect: (store) => ({ ...store.connect(), write: (_transaction, value) => void store.visible.push(value), commit: () => "committed", preCommit: ({ id }) => store.connect().abort(id) }),
    says: /too often/,
  },
};

for (const [name, { connect, says }] of Object.entries(mutants)) {
  test(`the kill tests notice ${name}`, async () => {
    assert.match(await noticed(options(connect)), says);
  });
}

test("options are checked", () => {
  const of = (more: object): unknown => TwoPhaseCommitSink.of({ connect: () => new TransactionalStore<string>().connect(), transactionalIdPrefix: "a", ...more });
  const refused = (option: string) => (error: unknown): boolean => isMillraceError(error) && error.code === "OPTION_INVALID" && error.location.option === option;
  assert.throws(() => of({ transactionalIdPrefix: "" }), refused("transactionalIdPrefix"));
  assert.throws(() => of({ transactionalIdPrefix: "a b" }), refused("transactionalIdPrefix"));
  assert.throws(() => of({ transactionTimeoutWarningRatio: 2 }), refused("transactionTimeoutWarningRatio"));
});
