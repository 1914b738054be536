import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isMillraceError, type MetricGroup, type SinkWriterContext } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "@millrace/testkit";
import pg from "pg";
import { PostgresServer, postgresMissing } from "../../../tools/services/postgres/postgres-server.js";
import { JdbcSink, postgresDialect, type JdbcConnectionOptions, type JdbcSinkOptions } from "../src/index.js";

const skip = postgresMissing() ?? false;
const miniCluster = new MiniCluster({
  config: { "execution.checkpointing.interval": "100 ms", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 100, "restart-strategy.fixed-delay.delay": "10 ms" },
});
let server: PostgresServer;
let admin: pg.Client;
let connection: JdbcConnectionOptions;

before(async () => {
  miniCluster.start();
  if (skip !== false) return;
  server = await PostgresServer.start();
  admin = new pg.Client(server.url);
  await admin.connect();
  connection = { dialect: postgresDialect, url: server.url };
});
after(async () => {
  await miniCluster.stop();
  await admin?.end();
  await server?.remove();
});

type Order = { readonly id: number; readonly name: string | null; readonly cents: number; readonly deleted?: boolean };

async function write<T>(values: readonly T[], options: Omit<JdbcSinkOptions<T>, "connection">, parallelism: number = 1): Promise<void> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(parallelism);
  env.fromCollection(values).sinkTo(JdbcSink.of<T>({ connection, ...options }));
  await env.execute();
}

const rowsOf = async (sql: string): Promise<unknown[][]> => (await admin.query({ text: sql, rowMode: "array" })).rows as unknown[][];

/** All messages of the chain of causes. */
async function failure(work: Promise<unknown>): Promise<string> {
  const thrown = await work.then(() => assert.fail("it wrote"), (error: Error) => error);
  const texts: string[] = [];
  for (let cause: Error | undefined = thrown; cause !== undefined; cause = cause.cause as Error | undefined) texts.push(`${isMillraceError(cause) ? cause.code : ""} ${cause.message}`);
  return texts.join("\n");
}

test("upserts keep the last change of each key, and deletes delete", { skip }, async () => {
  await admin.query("CREATE TABLE upserts (id int PRIMARY KEY, name text, cents bigint NOT NULL)");
  await admin.query("INSERT INTO upserts VALUES (1, 'old', 1), (2, 'old', 2), (3, 'old', 3)");
  const orders: Order[] = [
    { id: 1, name: "a", cents: 10 }, { id: 1, name: "b\t\n\\\"'☂", cents: 11 }, { id: 2, name: "x", cents: 20, deleted: true }, { id: 4, name: null, cents: 40 },
    { id: 5, name: "gone", cents: 50 }, { id: 5, name: "", cents: 0, deleted: true }, { id: 3, name: "", cents: 30, deleted: true }, { id: 3, name: "back", cents: 31 },
  ];
  await write<Order>(orders, { table: "upserts", columns: ["id", "name", "cents"], keyColumns: ["id"], rowKind: ({ deleted }) => (deleted === true ? "-D" : "+U") });
  assert.deepEqual(await rowsOf("SELECT id, name, cents::int FROM upserts ORDER BY id"), [[1, "b\t\n\\\"'☂", 11], [3, "back", 31], [4, null, 40]]);
});

test("keys whose texts differ and that the database takes for equal", { skip }, async () => {
  await admin.query("CREATE TABLE decimals (k numeric PRIMARY KEY, v int)");
  const rows = [{ k: "1.0", v: 1 }, { k: "1.00", v: 2 }, { k: "2", v: 3 }, { k: "1", v: 4 }];
  await write(rows, { table: "decimals", columns: ["k", "v"], keyColumns: ["k"] });
  assert.deepEqual(await rowsOf("SELECT k::int, v FROM decimals ORDER BY k"), [[1, 4], [2, 3]]);
  await write(rows, { table: "decimals", columns: ["k", "v"], keyColumns: ["k"], rowKind: ({ v }) => (v === 4 ? "-D" : "+I") });
  assert.deepEqual(await rowsOf("SELECT k::int, v FROM decimals ORDER BY k"), [[2, 3]]);
});

test("insert appends, insert-ignore leaves rows as they are", { skip }, async () => {
  await admin.query("CREATE TABLE inserts (id int PRIMARY KEY, name text)");
  await write([{ id: 1, name: "\\N" }, { id: 2, name: "\\.\n" }], { table: "inserts", columns: ["id", "name"] });
  await write([{ id: 2, name: "new" }, { id: 3, name: "c" }, { id: 3, name: "d" }], { table: "inserts", columns: ["id", "name"], keyColumns: ["id"], mode: "insert-ignore" });
  assert.deepEqual(await rowsOf("SELECT * FROM inserts ORDER BY id"), [[1, "\\N"], [2, "\\.\n"], [3, "c"]]);
});

test("a row that is refused is named", { skip }, async () => {
  await admin.query("CREATE TABLE strict (id int PRIMARY KEY, name varchar(5), cents numeric(10,2) CHECK (cents >= 0), at timestamp(3), d date)");
  const good = Array.from({ length: 500 }, (_, i) => ({ id: i, name: "ok", cents: "1.5", at: null as unknown, d: null as unknown }));
  const options = { table: "strict", columns: ["id", "name", "cents", "at", "d"] as const, keyColumns: ["id"] };
  const withRow = (row: Partial<(typeof good)[number]>): Promise<string> => failure(write([...good.slice(0, 300), { ...good[300]!, ...row }, ...good.slice(301)], options));
  assert.match(await withRow({ cents: "-1" }), /JDBC_ROW_REFUSED table strict refuses the row \(id=300, name=ok, cents=-1, at=NULL, d=NULL\): 23514/);
  assert.match(await withRow({ name: "too long" }), /JDBC_ROW_REFUSED .*id=300, name=too long.*22001/);
  assert.match(await withRow({ id: 3e9 }), /JDBC_ROW_REFUSED .*id=3000000000.*22003/);
  assert.match(await withRow({ cents: "1.234" }), /JDBC_VALUE_INVALID "1.234" does not fit column "cents" \(numeric\) of table strict: the column has 2 digits/);
  assert.match(await withRow({ id: 1.5 }), /JDBC_VALUE_INVALID 1.5 does not fit column "id"/);
  assert.match(await withRow({ at: "2024-01-01T00:00:00.0001" }), /JDBC_VALUE_INVALID .*3 digits of the second/);
  assert.match(await withRow({ d: new Date(1) }), /JDBC_VALUE_INVALID .*time of day/);
  assert.match(await withRow({ name: "\ud800" }), /JDBC_VALUE_INVALID .*surrogate/);
  assert.match(await failure(write(good, { ...options, mode: "insert" }).then(() => write(good.slice(7, 9), { ...options, mode: "insert" }))), /JDBC_ROW_REFUSED .*id=7.*23505/);
});

test("what cannot be is refused when the job starts", { skip }, async () => {
  await admin.query("CREATE TABLE orders (id int PRIMARY KEY, name text)");
  const options = { table: "orders", columns: { id: (id: number) => id } };
  assert.match(await failure(write([1], { ...options, table: "order" })), /JDBC_TABLE_NOT_FOUND/);
  assert.match(await failure(write([1], { ...options, columns: { nam: (id: number) => id } })), /JDBC_COLUMN_NOT_FOUND table orders has no column "nam"/);
  assert.match(await failure(write([1], { ...options, mode: "upsert" })), /keyColumns: mode "upsert" needs them/);
  assert.match(await failure(write([1], { ...options, deliveryGuarantee: "exactly-once" })), /transactionIdPrefix: exactly-once needs one/);
  const wrong = { dialect: postgresDialect, url: server.url.replace("secret", "wr0ng-s3cret") };
  const text = await failure(write([1], { ...options, connection: wrong } as never));
  assert.match(text, /JDBC_AUTHENTICATION_FAILED .*28P01/);
  assert.doesNotMatch(text, /wr0ng/);
});

test("what passes by is tried again, and not for ever", { skip }, async () => {
  // A sequence counts on even when its transaction is rolled back.
  await admin.query(`
    CREATE TABLE contended (id int PRIMARY KEY); CREATE SEQUENCE attempts;
    CREATE FUNCTION contend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('attempts') <= 3 THEN RAISE EXCEPTION 'as planned' USING ERRCODE = CASE currval('attempts') % 2 WHEN 0 THEN '40P01' ELSE '40001' END; END IF;
      RETURN NEW; END $$;
    CREATE TRIGGER contend BEFORE INSERT ON contended FOR EACH STATEMENT EXECUTE FUNCTION contend()`);
  const options = { table: "contended", columns: { id: (id: number) => id }, keyColumns: ["id"] };
  await write([1, 2, 3], { ...options, execution: { maxRetries: 3 } });
  assert.deepEqual(await rowsOf("SELECT id FROM contended ORDER BY id"), [[1], [2], [3]]);
  await admin.query("ALTER SEQUENCE attempts RESTART");
  const sink = JdbcSink.of<number>({ connection, ...options, execution: { maxRetries: 2 } });
  const counts = new Map<string, { count: number; inc(by?: number): void; dec(): void }>();
  const group: MetricGroup = {
    addGroup: () => group, meter: () => assert.fail(), histogram: () => assert.fail(), gauge: (_, value) => ({ value: value() }),
    counter: (name) => {
      const counter = { count: 0, inc: (by = 1) => void (counter.count += by), dec: () => undefined };
      counts.set(name, counter);
      return counter;
    },
  };
  const writer = await sink.createWriter({ subtaskIndex: 0, parallelism: 1, metrics: group } as SinkWriterContext);
  await writer.write(4, { timestamp: undefined, currentWatermark: 0 });
  await assert.rejects(async () => writer.flush(false), (error) => isMillraceError(error) && error.code === "JDBC_WRITE_FAILED" && error.recovery === "restart");
  await writer.close();
  assert.deepEqual([counts.get("numRecordsSend")!.count, counts.get("numRecordsSendErrors")!.count], [0, 1]);
});
