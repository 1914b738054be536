import { createHash } from "node:crypto";
import { createConnection } from "mysql2/promise";
import { COUNT } from "../../connector-jdbc/test/databases/source-suite.js";
import type { DatabaseUnderTest, TestDatabase } from "../../connector-jdbc/test/databases/test-database.js";
import { TcpProxy } from "../../../tools/services/proxy/tcp-proxy.js";
import { MariadbServer, mariadbMissing } from "../../../tools/services/mariadb/mariadb-server.js";
import { mysqlDialect } from "../src/index.js";

const xid = (name: string): string => (name.length <= 64 ? `'${name}'` : `'${name.slice(0, 64)}','${name.slice(64)}'`);

async function start(): Promise<TestDatabase> {
  const server = await MariadbServer.start();
  const proxy = await TcpProxy.listen({ targetPort: server.port });
  const sql = async (text: string): Promise<any[][]> => {
    const client = await createConnection({ uri: server.url, rowsAsArray: true, multipleStatements: true });
    try {
      const [rows] = await client.query(text);
      return rows as any[][];
    } finally {
      await client.end();
    }
  };
  return {
    proxy, sql,
    connection: { dialect: mysqlDialect, url: server.url.replace(String(server.port), String(proxy.port)) },
    direct: { dialect: mysqlDialect, url: server.url },
    prepared: async () => (await sql("XA RECOVER")).map((row) => String(row[3])),
    prepare: (name, statement) => sql(`XA START ${xid(name)}; ${statement}; XA END ${xid(name)}; XA PREPARE ${xid(name)}`),
    rollBack: async (name) => {
      // Nobody else can while the session that prepared it lives, nor in the moment in which it ends. The sink waits longer than this before it commits.
      const lock = `millrace_${createHash("sha256").update(name).digest("hex").slice(0, 40)}`;
      const holder = async (): Promise<unknown> => (await sql(`SELECT IS_USED_LOCK('${lock}')`))[0]![0];
      const id = await holder();
      if (id !== null) await sql(`KILL ${id}`);
      while ((await holder()) !== null) continue;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return sql(`XA ROLLBACK ${xid(name)}`);
    },
    crash: () => server.process.stop(),
    restart: () => server.start(),
    remove: async () => {
      await proxy.close();
      await server.remove();
    },
  };
}

export const mariadbUnderTest: DatabaseUnderTest = {
  dialect: mysqlDialect, skip: mariadbMissing() ?? false, marks: { prepare: "XA PREPARE", commit: "XA COMMIT", write: "INSERT INTO `at_" }, slowQuery: "SELECT SLEEP(30)", start,
  createNumbers: async ({ sql }) => {
    await sql("CREATE TABLE numbers (id BIGINT UNSIGNED PRIMARY KEY, half DECIMAL(20,4), day DATE NOT NULL, at TIMESTAMP(6) NULL, few INT, name VARCHAR(20))");
    await sql(`SET time_zone = '+00:00'; INSERT INTO numbers SELECT seq, seq / 2, DATE '2024-01-01' + INTERVAL seq DIV 50 DAY, TIMESTAMP '2024-01-01 00:00:00' + INTERVAL seq * 1500 MICROSECOND, IF(seq % 10 = 0, NULL, seq % 3), CONCAT('Name ', seq) FROM seq_0_to_${COUNT - 1}`);
  },
};
