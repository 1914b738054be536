import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WatermarkStrategy, isMillraceError, type MetricGroup, type RuntimeContext } from "@millrace/core";
import { AsyncDataStream, StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "@millrace/testkit";
import { createConnection, type Connection } from "mysql2/promise";
import { TcpProxy } from "../../../tools/services/proxy/tcp-proxy.js";
import { MariadbServer, mariadbMissing } from "../../../tools/services/mariadb/mariadb-server.js";
import { JdbcLookup, JdbcNumericBetweenParametersProvider, JdbcSink, JdbcSource, mysqlDialect, type JdbcConnectionOptions, type JdbcRow, type JdbcSourceOptions } from "../src/index.js";

const skip = mariadbMissing() ?? false;
const COUNT = 5000;
const miniCluster = new MiniCluster({
  config: { "execution.checkpointing.interval": "30 ms", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 50, "restart-strategy.fixed-delay.delay": "10 ms" },
});
let server: MariadbServer;
let proxy: TcpProxy;
let admin: Connection;
let connection: JdbcConnectionOptions;

before(async () => {
  miniCluster.start();
  if (skip !== false) return;
  server = await MariadbServer.start();
  proxy = await TcpProxy.listen({ targetPort: server.port });
  admin = await createConnection({ uri: server.url, multipleStatements: true, rowsAsArray: true });
  connection = { dialect: mysqlDialect, url: server.url.replace(String(server.port), String(proxy.port)) };
  await admin.query("CREATE TABLE numbers (id BIGINT UNSIGNED PRIMARY KEY, half DECIMAL(20,4), day DATE NOT NULL, at TIMESTAMP(6) NULL, few INT, name VARCHAR(20))");
  await admin.query(`SET time_zone = '+00:00'; INSERT INTO numbers SELECT seq, seq / 2, DATE '2024-01-01' + INTERVAL seq DIV 50 DAY, TIMESTAMP '2024-01-01 00:00:00' + INTERVAL seq * 1500 MICROSECOND, IF(seq % 10 = 0, NULL, seq % 3), CONCAT('Name ', seq) FROM seq_0_to_${COUNT - 1}`);
});
after(async () => {
  await miniCluster.stop();
  await proxy?.close();
  await admin?.end();
  await server?.remove();
});

const all = Array.from({ length: COUNT }, (_, i) => i);

const ways: Readonly<Record<string, Omit<JdbcSourceOptions<number>, "connection">>> = {
  "ranges of the key": { table: "numbers", partition: { column: "id", splits: 7 }, keyColumn: "id", columns: ["id", "day"] },
  "ranges of a decimal, in whole splits": { table: "numbers", partition: { column: "half", splits: 20 } },
  "ranges of a date": { table: "test.numbers", partition: { column: "day", splitSize: 9 }, keyColumn: "id" },
  "ranges of a time stamp": { table: "numbers", partition: { column: "at", splitSize: 1000 } },
  "ranges of a column with NULL": { table: "numbers", partition: { column: "few", splits: 10 }, keyColumn: "id" },
  "given bounds": { table: "numbers", partition: { column: "at", splits: 3, lower: "2024-01-01T00:00:00Z", upper: new Date("2024-01-02") } },
  "a query with parameters": { query: "SELECT id, half, '?' AS mark FROM numbers WHERE id BETWEEN ? AND ? /* ? */", parameters: new JdbcNumericBetweenParametersProvider(0, COUNT - 1).ofBatchSize(300) },
  "a query with parameters, by key": { query: "SELECT id, name FROM numbers WHERE few <=> ? -- by key", parameters: [[0], [1], ["2"], [null]], keyColumn: "id" },
};
for (const [name, options] of Object.entries(ways)) {
  test(`every row once, by ${name}, while the job fails and connections break`, { skip, timeout: 120_000 }, async () => {
    const env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.setParallelism(2);
    let seen = 0;
    let failures = 0;
    const source = JdbcSource.of<number>({ connection, deserializer: (row) => Number(row["id"]), fetchSize: 100, ...options });
    const ids = await env.fromSource(source, WatermarkStrategy.noWatermarks(), "numbers").asyncMap(async (id) => {
      // Slow enough for some checkpoints.
      if (id % 25 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      return id;
    }, { capacity: 3 }).map((id) => {
      if (++seen % 1500 === 700) proxy.reset();
      if (failures < 2 && seen > 1200 * (failures + 1)) {
        failures++;
        throw new Error("as planned");
      }
      return id;
    }).executeAndCollect();
    assert.equal(failures, 2);
    assert.deepEqual(ids.sort((a, b) => a - b), all);
  });
}

test("a job enriches its records, and the database says what equals a key", { skip, timeout: 60_000 }, async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(2);
  let seen = 0;
  const stream = env.fromSequence(0, 999).map((id) => {
    if (++seen % 300 === 0) proxy.reset();
    return id;
  });
  const enriched = await AsyncDataStream.unorderedWait(stream, JdbcLookup.of<number, string>({
    connection, table: "numbers", keyColumns: ["name"], key: (id) => `NAME ${id}`, columns: ["id", "half"], join: (id, [row]: readonly JdbcRow[]) => [`${id}=${String(row?.["half"])}`], maxRetries: 10,
    cache: { maxRows: 100 }, connections: 3,
  }), "30 s", 20).executeAndCollect();
  assert.deepEqual(enriched.sort(), all.slice(0, 1000).map((i) => `${i}=${(i / 2).toFixed(4)}`).sort());
});

test("upserts, deletes and rows that stay", { skip }, async () => {
  await admin.query("CREATE TABLE upserts (a INT, b VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, v TEXT, PRIMARY KEY (a, b)) CHARACTER SET utf8mb4; INSERT INTO upserts VALUES (1, 'x', 'old'), (2, 'y', 'old')");
  type Change = { readonly a: number; readonly b: string; readonly v: string | null; readonly deleted?: boolean };
  const write = async (rows: readonly Change[], mode: "upsert" | "insert-ignore"): Promise<void> => {
    const env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.setParallelism(1);
    env.fromCollection(rows).sinkTo(JdbcSink.of<Change>({ connection, table: "upserts", columns: ["a", "b", "v"], keyColumns: ["a", "b"], mode, rowKind: ({ deleted }) => (deleted === true ? "-D" : "+I") }));
    await env.execute();
  };
  // The collation takes X for x: the order of changes counts.
  await write([{ a: 1, b: "X", v: "1" }, { a: 1, b: "x", v: "2'\\\"☂\n" }, { a: 2, b: "Y", v: "", deleted: true }, { a: 3, b: "z", v: "3" }, { a: 3, b: "Z", v: "", deleted: true }, { a: 3, b: "z", v: null }], "upsert");
  await write([{ a: 1, b: "x", v: "ignored" }, { a: 4, b: "new", v: "4" }], "insert-ignore");
  const [rows] = await admin.query("SELECT a, v FROM upserts ORDER BY a");
  assert.deepEqual(rows, [[1, "2'\\\"☂\n"], [3, null], [4, "4"]]);
});

test("a server that comes late is waited for, and one that does not is named", { skip, timeout: 120_000 }, async () => {
  await admin.query("CREATE TABLE late (id INT)");
  await admin.end();
  await server.process.stop();
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(1);
  env.fromSequence(1, 10).sinkTo(JdbcSink.of<number>({ connection: { ...connection, url: server.url }, table: "late", columns: { id: (id) => id } }));
  const waiting = env.execute();
  const lookup = JdbcLookup.of<number, JdbcRow>({ connection: { ...connection, url: server.url, connectionWaitMs: 0 }, table: "late", keyColumns: ["id"], key: (id) => id, join: (_, rows) => rows }).create();
  const group: MetricGroup = { addGroup: () => group, counter: () => undefined as never, gauge: () => undefined as never, meter: () => undefined as never, histogram: () => undefined as never };
  await assert.rejects(async () => lookup.open?.({ metrics: group } as RuntimeContext), (error) => isMillraceError(error) && error.code === "JDBC_UNREACHABLE" && !error.message.includes("secret"));
  await server.start();
  await waiting;
  admin = await createConnection({ uri: server.url, rowsAsArray: true });
  assert.deepEqual((await admin.query("SELECT COUNT(*), SUM(id) FROM late"))[0], [[10, "55"]]);
});
