import pg from "pg";
import { COUNT } from "../../connector-jdbc/test/databases/source-suite.js";
import type { DatabaseUnderTest, TestDatabase } from "../../connector-jdbc/test/databases/test-database.js";
import { TcpProxy } from "../../../tools/services/proxy/tcp-proxy.js";
import { PostgresServer, postgresMissing } from "../../../tools/services/postgres/postgres-server.js";
import { postgresDialect } from "../src/index.js";

async function start(): Promise<TestDatabase> {
  const server = await PostgresServer.start();
  const proxy = await TcpProxy.listen({ targetPort: server.port });
  const sql = async (text: string): Promise<any[][]> => {
    const client = new pg.Client(server.url);
    client.on("error", () => undefined);
    await client.connect();
    try {
      const result = await client.query({ text, rowMode: "array" });
      return (Array.isArray(result) ? [] : result.rows) as any[][];
    } finally {
      await client.end();
    }
  };
  return {
    proxy, sql,
    connection: { dialect: postgresDialect, url: server.url.replace(String(server.port), String(proxy.port)) },
    direct: { dialect: postgresDialect, url: server.url },
    prepared: async () => (await sql("SELECT gid FROM pg_prepared_xacts")).map(([gid]) => String(gid)),
    prepare: (name, statement) => sql(`BEGIN; ${statement}; PREPARE TRANSACTION '${name}'`),
    rollBack: (name) => sql(`ROLLBACK PREPARED '${name}'`),
    crash: () => server.process.stop("SIGQUIT"),
    restart: () => server.start(),
    remove: async () => {
      await proxy.close();
      await server.remove();
    },
  };
}

export const postgresUnderTest: DatabaseUnderTest = {
  dialect: postgresDialect, skip: postgresMissing() ?? false, marks: { prepare: "PREPARE TRANSACTION", commit: "COMMIT PREPARED", write: "COPY " }, slowQuery: "SELECT pg_sleep(30)", start,
  createNumbers: async ({ sql }) => {
    await sql("CREATE TABLE numbers (id bigint PRIMARY KEY, half numeric, day date NOT NULL, at timestamptz, few int)");
    await sql(`INSERT INTO numbers SELECT i, i / 2.0, '2024-01-01'::date + i / 50, '2024-01-01Z'::timestamptz + i * interval '1.5 ms', CASE WHEN i % 10 = 0 THEN NULL ELSE i % 3 END FROM generate_series(0, ${COUNT - 1}) i`);
  },
};
