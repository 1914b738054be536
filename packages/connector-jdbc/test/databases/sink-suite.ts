import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret, WatermarkStrategy } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { JdbcSink, JdbcSource, type JdbcSinkOptions } from "../../src/index.js";
import { expectFailure } from "./failures.js";
import { runningSuite, type RunningSuite } from "./running-suite.js";
import type { DatabaseUnderTest, TestDatabase } from "./test-database.js";

type Order = { readonly id: number; readonly name: string | null; readonly cents: number; readonly deleted?: boolean };
type Options<T> = Omit<JdbcSinkOptions<T>, "connection"> & Partial<Pick<JdbcSinkOptions<T>, "connection">>;

/** Writes values in a job that does not restart. */
export async function writeAll<T>(database: TestDatabase, values: readonly T[], options: Options<T>): Promise<void> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment({ "restart-strategy.type": "none" });
  env.setParallelism(1);
  env.fromCollection(values).sinkTo(JdbcSink.of<T>({ connection: database.connection, ...options }));
  await env.execute();
}

/** What sinks do to tables, and refuse; and statements that take too long. */
export function sinkSuite(underTest: DatabaseUnderTest): RunningSuite {
  const { skip, slowQuery } = underTest;
  const suite = runningSuite(underTest);
  const { database } = suite;

  test("upserts keep the last change of each key, and deletes delete", { skip }, async () => {
    await database().sql("CREATE TABLE upserts (id int PRIMARY KEY, name text, cents int NOT NULL)");
    await database().sql("INSERT INTO upserts VALUES (1, 'old', 1), (2, 'old', 2), (3, 'old', 3)");
    const orders: Order[] = [
      { id: 1, name: "a", cents: 10 }, { id: 1, name: "b\t\n\\\"'é", cents: 11 }, { id: 2, name: "x", cents: 20, deleted: true }, { id: 4, name: null, cents: 40 },
      { id: 5, name: "gone", cents: 50 }, { id: 5, name: "", cents: 0, deleted: true }, { id: 3, name: "", cents: 30, deleted: true }, { id: 3, name: "back", cents: 31 },
    ];
    await writeAll<Order>(database(), orders, { table: "upserts", columns: ["id", "name", "cents"], keyColumns: ["id"], rowKind: ({ deleted }) => (deleted === true ? "-D" : "+U") });
    assert.deepEqual(await database().sql("SELECT id, name, cents FROM upserts ORDER BY id"), [[1, "b\t\n\\\"'é", 11], [3, "back", 31], [4, null, 40]]);
  });

  test("insert appends, insert-ignore leaves rows as they are", { skip }, async () => {
    await database().sql("CREATE TABLE inserts (id int PRIMARY KEY, name text)");
    await writeAll(database(), [{ id: 1, name: "\\N" }, { id: 2, name: "\\.\n" }], { table: "inserts", columns: ["id", "name"] });
    await writeAll(database(), [{ id: 2, name: "new" }, { id: 3, name: "c" }, { id: 3, name: "d" }], { table: "inserts", columns: ["id", "name"], keyColumns: ["id"], mode: "insert-ignore" });
    assert.deepEqual(await database().sql("SELECT * FROM inserts ORDER BY id"), [[1, "\\N"], [2, "\\.\n"], [3, "c"]]);
  });

  test("a row that is refused is named", { skip }, async () => {
    await database().sql("CREATE TABLE strict_orders (id int PRIMARY KEY, name varchar(5), cents numeric(10,2) CHECK (cents >= 0), d date)");
    const good = Array.from({ length: 500 }, (_, i) => ({ id: i, name: "ok", cents: "1.5", d: null as unknown }));
    const options = { table: "strict_orders", columns: ["id", "name", "cents", "d"] as const, keyColumns: ["id"] };
    const refused = async (row: Partial<(typeof good)[number]>, code: string): Promise<string> =>
      (await expectFailure(writeAll(database(), [...good.slice(0, 300), { ...good[300]!, ...row }, ...good.slice(301)], options), code)).message;
    assert.match(await refused({ cents: "-1" }, "JDBC_ROW_REFUSED"), /^table strict_orders refuses the row \(id=300, name=ok, cents=-1, d=NULL\): /);
    assert.match(await refused({ name: "too long" }, "JDBC_ROW_REFUSED"), /id=300, name=too long/);
    assert.match(await refused({ cents: "1.234" }, "JDBC_VALUE_INVALID"), /^"1.234" does not fit column "cents" .*: the column has 2 digits/);
    assert.match(await refused({ id: 1.5 }, "JDBC_VALUE_INVALID"), /^1.5 does not fit column "id"/);
    assert.match(await refused({ d: new Date(1) }, "JDBC_VALUE_INVALID"), /time of day/);
    assert.match(await refused({ name: "\ud800" }, "JDBC_VALUE_INVALID"), /surrogate/);
    await writeAll(database(), good, { ...options, mode: "insert" });
    assert.match((await expectFailure(writeAll(database(), good.slice(7, 9), { ...options, mode: "insert" }), "JDBC_ROW_REFUSED")).message, /id=7/);
  });

  test("what cannot be is refused when the job starts", { skip }, async () => {
    await database().sql("CREATE TABLE orders (id int PRIMARY KEY, name text)");
    const options = { table: "orders", columns: { id: (id: number) => id } };
    await expectFailure(writeAll(database(), [1], { ...options, table: "order" }), "JDBC_TABLE_NOT_FOUND");
    assert.match((await expectFailure(writeAll(database(), [1], { ...options, columns: { nam: (id: number) => id } }), "JDBC_COLUMN_NOT_FOUND")).message, /^table orders has no column "nam"/);
    assert.match((await expectFailure(writeAll(database(), [1], { ...options, mode: "upsert" }), "OPTION_INVALID")).message, /keyColumns: mode "upsert" needs them/);
    assert.match((await expectFailure(writeAll(database(), [1], { ...options, deliveryGuarantee: "exactly-once" }), "OPTION_INVALID")).message, /transactionIdPrefix: exactly-once needs one/);
    const wrong = { ...database().connection, password: new Secret("wr0ng-s3cret") };
    assert.doesNotMatch((await expectFailure(writeAll(database(), [1], { ...options, connection: wrong }), "JDBC_AUTHENTICATION_FAILED")).message, /wr0ng/);
  });

  test("a statement that takes too long is named, with who waits for it: of a source, of a sink", { skip }, async () => {
    // Far more than what it takes to connect and to look at a table, and far less than what the slow ones take.
    const connection = { ...database().connection, statementTimeoutMs: 3000 };
    const build = (): StreamExecutionEnvironment => StreamExecutionEnvironment.getExecutionEnvironment({ "restart-strategy.type": "none" });
    const reading = build();
    reading.fromSource(JdbcSource.of({ connection, query: slowQuery }), WatermarkStrategy.noWatermarks(), "slow").discard();
    const { message: read, recovery } = await expectFailure(reading.execute(), "JDBC_STATEMENT_TIMEOUT");
    assert.match(read, /^reading the query: .*no answer within 3000 ms to: .*sleep/i);
    assert.equal(recovery, "restart");

    await database().sql("CREATE TABLE locked (id int PRIMARY KEY)");
    await database().prepare("blocker", "INSERT INTO locked VALUES (1)");
    const writing = build();
    writing.fromCollection([1]).sinkTo(JdbcSink.of<number>({ connection, table: "locked", columns: { id: (id) => id }, keyColumns: ["id"] }));
    const { message: written } = await expectFailure(writing.execute(), "JDBC_STATEMENT_TIMEOUT");
    assert.match(written, /^writing 1 rows to table locked: .*no answer within 3000 ms to: INSERT INTO .*locked/);
    await database().rollBack("blocker");
  });

  return suite;
}
