import { after, before, test } from "node:test";
import { sinkGuarantees, type SinkCase } from "@millrace/testkit";
import { JdbcSink, type JdbcSinkOptions } from "../../src/index.js";
import type { DatabaseUnderTest, TestDatabase } from "./test-database.js";

interface Way {
  readonly name: string;
  readonly guarantee: "exactly-once" | "at-least-once";
  /** Of the column `id`. */
  readonly key: "" | "PRIMARY KEY";
  readonly options: (table: string) => Partial<JdbcSinkOptions<number>>;
}

const exactlyOnce = (table: string): Partial<JdbcSinkOptions<number>> => ({ deliveryGuarantee: "exactly-once", exactlyOnce: { transactionIdPrefix: table, lockTimeout: "2 s" } });

const WAYS: readonly Way[] = [
  // Nothing but the transactions keeps a row from coming twice.
  { name: "exactly-once inserts", guarantee: "exactly-once", key: "", options: exactlyOnce },
  { name: "upserts", guarantee: "at-least-once", key: "PRIMARY KEY", options: () => ({ keyColumns: ["id"] }) },
  // Rows of transactions that are not committed lock those of the next attempt.
  { name: "exactly-once upserts", guarantee: "exactly-once", key: "PRIMARY KEY", options: (table) => ({ keyColumns: ["id"], ...exactlyOnce(table) }) },
];

/** The kill tests of the test kit, against a real server that crashes, too: each case writes a table of its own. */
export function sinkGuaranteesSuite({ dialect, skip, start }: DatabaseUnderTest): void {
  let database: TestDatabase;
  before(async () => {
    if (skip === false) database = await start();
  });
  after(() => database?.remove());

  let tables = 0;
  const casesOf = ({ name, guarantee, key, options }: Way): readonly SinkCase[] => sinkGuarantees<number>({
    name: `${dialect.name}, ${name}`, guarantee, idempotent: key !== "", time: "real", recordsPerSecond: 200, record: (index) => index,
    open: async () => {
      const table = `t${tables++}`;
      await database.sql(`CREATE TABLE ${table} (id int ${key})`);
      return {
        sink: () => JdbcSink.of<number>({ connection: database.direct, table, columns: { id: (id) => id }, execution: { batchSize: 10 }, ...options(table) }),
        read: async () => (await database.sql(`SELECT id FROM ${table}`)).map(([id]) => String(id)),
        pending: async () => (await database.prepared()).filter((transaction) => transaction.startsWith(`${table}_`)),
        outage: { begin: () => database.crash(), end: () => database.restart() },
      };
    },
  });
  for (const way of WAYS) for (const { name, run } of casesOf(way)) test(name, { skip }, run);
}
