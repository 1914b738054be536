// Prepared transactions of sessions that end: what is committed is there, what is rolled back holds no lock, and the server lives.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createConnection, type Connection } from "mysql2/promise";
import { ConnectionPool } from "../../connector-jdbc/src/connection/connection-pool.js";
import { connectionSettings } from "../../connector-jdbc/src/connection/jdbc-connection-options.js";
import { KeptTransactions } from "../../connector-jdbc/src/sink/kept-transactions.js";
import { MariadbServer, mariadbMissing } from "../../../tools/services/mariadb/mariadb-server.js";
import { mysqlDialect } from "../src/index.js";
import { MysqlConnection } from "../src/mysql-connection.js";

const skip = mariadbMissing() ?? false;
let server: MariadbServer;
let admin: Connection;

const open = (): Promise<MysqlConnection> => MysqlConnection.open(connectionSettings({ dialect: mysqlDialect, url: server.url }).target);
const ids = async (): Promise<readonly unknown[]> => ((await admin.query({ sql: "SELECT id FROM t ORDER BY id", rowsAsArray: true }))[0] as unknown[][]).flat();
/** What InnoDB still holds, whether or not the server lists it. */
const openTransactions = async (): Promise<unknown> => ((await admin.query({ sql: "SELECT COUNT(*) FROM information_schema.INNODB_TRX", rowsAsArray: true }))[0] as unknown[][])[0]![0];

async function prepared(id: number): Promise<MysqlConnection> {
  const connection = await open();
  await connection.nameSession(`writer_${id}`);
  await connection.begin(`x_${id}`);
  await connection.execute(`INSERT INTO t VALUES (${id})`);
  assert.equal(await connection.prepare(`x_${id}`), true);
  return connection;
}

before(async () => {
  if (skip !== false) return;
  server = await MariadbServer.start();
  admin = await createConnection({ uri: server.url });
  await admin.query("CREATE TABLE t (id int PRIMARY KEY)");
});
after(async () => {
  await admin?.end();
  await server?.remove();
});

test("the connection that prepared commits, and is used again under the same names", { skip }, async () => {
  const connection = await prepared(1);
  const next = await open();
  // The writer's next transaction may begin meanwhile.
  await next.nameSession("writer_1");
  await next.begin("x_2");
  await next.execute("INSERT INTO t VALUES (2)");
  assert.equal(await connection.commitPrepared("x_1"), true);
  assert.deepEqual(await ids(), [1]);
  assert.equal(await next.prepare("x_2"), true);
  await connection.nameSession("writer_1");
  await connection.begin("x_3");
  await connection.execute("INSERT INTO t VALUES (3)");
  assert.equal(await next.commitPrepared("x_2"), true);
  assert.equal(await connection.prepare("x_3"), true);
  assert.equal(await connection.commitPrepared("x_3"), true);
  assert.deepEqual(await ids(), [1, 2, 3]);
  assert.equal(await next.commitPrepared("x_3"), false, "it is committed already");
  await Promise.all([connection.close(), next.close()]);
});

test("others commit what a session that lives, ends or is out of sight has prepared", { skip }, async () => {
  await admin.query("TRUNCATE TABLE t");
  const count = 24;
  await Promise.all(Array.from({ length: count }, async (_, id) => {
    const [holder, other] = [await prepared(id), await open()];
    if (id % 2 === 0) void holder.close();
    assert.equal(await other.commitPrepared(`x_${id}`), true);
    await Promise.all([holder.close(), other.close()]);
  }));
  assert.deepEqual(await ids(), Array.from({ length: count }, (_, id) => id));
  assert.equal(Number(await openTransactions()), 0);
});

test("others roll it back, and its locks are free", { skip }, async () => {
  await admin.query("TRUNCATE TABLE t");
  const count = 24;
  await Promise.all(Array.from({ length: count }, async (_, id) => {
    const [holder, other] = [await prepared(id), await open()];
    if (id % 2 === 0) void holder.close();
    await other.rollbackPrepared(`x_${id}`);
    await other.execute(`INSERT INTO t VALUES (${id})`);
    await Promise.all([holder.close(), other.close()]);
  }));
  assert.equal((await ids()).length, count);
  assert.equal(Number(await openTransactions()), 0);
});

test("an ended session is gone with what it had not prepared", { skip }, async () => {
  await admin.query("TRUNCATE TABLE t");
  const [writer, other] = [await open(), await open()];
  await writer.nameSession("writer");
  await writer.begin("unprepared");
  await writer.execute("INSERT INTO t VALUES (1)");
  await other.endSession("writer");
  await other.execute("INSERT INTO t VALUES (1)");
  await assert.rejects(writer.prepare("unprepared"));
  assert.deepEqual(await other.listPrepared(""), []);
  await Promise.all([writer.close(), other.close()]);
});

test("what is kept is committed by its connection, which is used again; too many connections are not held", { skip }, async () => {
  await admin.query("TRUNCATE TABLE t");
  const pool = new ConnectionPool(connectionSettings({ dialect: mysqlDialect, url: server.url }), 2);
  const kept = new KeptTransactions();
  const used = new Set<unknown>();
  const keep = async (id: number): Promise<void> => {
    const connection = await pool.acquireWith("beginning", async (fresh) => {
      await fresh.nameSession("writer");
      await fresh.begin(`kept_${id}`);
    });
    used.add(connection);
    await connection.execute(`INSERT INTO t VALUES (${id})`);
    assert.equal(await connection.prepare(`kept_${id}`), true);
    kept.keep(`kept_${id}`, connection, pool);
  };
  for (let id = 0; id < 9; id++) await keep(id);
  assert.equal(await kept.commit("kept_0"), false, "its connection was given up");
  for (let id = 1; id < 9; id++) assert.equal(await kept.commit(`kept_${id}`), true);
  assert.equal(used.size, 9);
  for (let id = 9; id < 12; id++) {
    await keep(id);
    assert.equal(await kept.commit(`kept_${id}`), true);
  }
  assert.equal(used.size, 9, "none is opened while one is idle");
  assert.equal(await pool.retrying("committing", (connection) => connection.commitPrepared("kept_0")), true);
  assert.deepEqual(await ids(), Array.from({ length: 12 }, (_, id) => id));
  await kept.close();
  await pool.close();
});
