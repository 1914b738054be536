import pg from "pg";
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

export const postgresUnderTest: DatabaseUnderTest = { dialect: postgresDialect, skip: postgresMissing() ?? false, start };
