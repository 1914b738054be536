import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { MariadbServer, mariadbMissing } from "../services/mariadb/mariadb-server.js";
import { PostgresServer, postgresMissing } from "../services/postgres/postgres-server.js";

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>, input: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { env: { ...process.env, ...env }, input, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

test("PostgreSQL keeps its data over a crash, logs logically and prepares transactions", { skip: postgresMissing() ?? false }, async () => {
  const server = await PostgresServer.start();
  try {
    const sql = (text: string): string => run("psql", ["-tA", server.url], {}, text);
    sql("create table t (n int); insert into t values (1), (2); begin; insert into t values (3); prepare transaction 'p';");
    await server.process.stop();
    await server.process.start();
    assert.equal(sql("select sum(n) from t"), "3");
    sql("commit prepared 'p'");
    assert.equal(sql("select sum(n) from t"), "6");
    assert.equal(sql("show wal_level"), "logical");
  } finally {
    await server.remove();
  }
  assert.equal(server.process.isRunning, false);
});

test("MariaDB keeps its data over a crash, and logs rows with their columns' names", { skip: mariadbMissing() ?? false }, async () => {
  const server = await MariadbServer.start();
  try {
    const sql = (text: string): string => run("mariadb", ["--no-defaults", "-N", "-h", "127.0.0.1", "-P", String(server.port), "-u", "root", "test"], { MYSQL_PWD: "secret" }, text);
    sql("create table t (n int); insert into t values (1), (2);");
    await server.process.stop();
    await server.process.start();
    assert.equal(sql("select sum(n) from t"), "3");
    assert.equal(sql("select @@binlog_format, @@binlog_row_metadata"), "ROW\tFULL");
  } finally {
    await server.remove();
  }
  assert.equal(server.process.isRunning, false);
});

test("the command names the services there are", () => {
  const help = spawnSync(process.execPath, ["--import", "tsx", "tools/services/main.ts", "--help"], { encoding: "utf8" });
  assert.equal(help.status, 0);
  assert.match(help.stdout, /kafka, mariadb, postgres, s3, zookeeper/);
  const wrong = spawnSync(process.execPath, ["--import", "tsx", "tools/services/main.ts", "kafak"], { encoding: "utf8" });
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /There is no service kafak/);
});
