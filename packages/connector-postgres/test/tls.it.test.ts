import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { WatermarkStrategy, isMillraceError } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "@millrace/testkit";
import { PostgresServer, postgresMissing } from "../../../tools/services/postgres/postgres-server.js";
import { giveTo, serverAccount } from "../../../tools/services/server-account.js";
import { JdbcSource, postgresDialect, type JdbcConnectionOptions } from "../src/index.js";

const skip = postgresMissing() ?? false;
const miniCluster = new MiniCluster();
const folder = mkdtempSync(join(tmpdir(), "millrace-tls-"));
let server: PostgresServer;

before(async () => {
  miniCluster.start();
  if (skip !== false) return;
  const made = spawnSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=db.example", "-addext", "subjectAltName=DNS:db.example", "-keyout", "key.pem", "-out", "cert.pem"], { cwd: folder, encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
  chmodSync(folder, 0o755);
  copyFileSync(join(folder, "cert.pem"), join(folder, "ca.pem"));
  for (const file of ["key.pem", "cert.pem"]) {
    chmodSync(join(folder, file), 0o600);
    giveTo(serverAccount("postgres"), join(folder, file));
  }
  server = await PostgresServer.start({ settings: { ssl: "on", ssl_cert_file: join(folder, "cert.pem"), ssl_key_file: join(folder, "key.pem") } });
});
after(async () => {
  await miniCluster.stop();
  await server?.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function isEncrypted(more: Partial<JdbcConnectionOptions>): Promise<unknown> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(1);
  const source = JdbcSource.of({ connection: { dialect: postgresDialect, url: server.url, ...more }, query: "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()" });
  return (await env.fromSource(source, WatermarkStrategy.noWatermarks(), "ssl").executeAndCollect())[0]?.["ssl"];
}

async function refusal(more: Partial<JdbcConnectionOptions>): Promise<string> {
  const thrown = await isEncrypted(more).then(() => assert.fail("it connected"), (error: Error) => error);
  const texts: string[] = [];
  for (let cause: Error | undefined = thrown; cause !== undefined; cause = cause.cause as Error | undefined) texts.push(`${isMillraceError(cause) ? cause.code : ""} ${cause.message}`);
  return texts.join("\n");
}

test("connections are encrypted, and only to a server whose certificate is trusted and has the right name", { skip }, async () => {
  const ca = join(folder, "ca.pem");
  assert.equal(await isEncrypted({}), false);
  assert.equal(await isEncrypted({ tls: { ca, servername: "db.example" } }), true);
  assert.match(await refusal({ tls: { ca } }), /JDBC_AUTHENTICATION_FAILED .*(?:127.0.0.1|altnames)/);
  assert.match(await refusal({ tls: { ca, servername: "other.example" } }), /JDBC_AUTHENTICATION_FAILED .*other.example/);
  assert.match(await refusal({ tls: true }), /JDBC_AUTHENTICATION_FAILED .*self-signed/);
  assert.match(await refusal({ tls: { ca: join(folder, "none.pem") } }).catch((error: Error) => error.message), /OPTION_INVALID|cannot be read/);
});
