/**
 * Reads sensors from a database, adds to each reading where its sensor is, and keeps the highest reading of each place in a table:
 * `millrace run examples/database-enrichment.ts`.
 *
 * Starts a PostgreSQL of its own, which must be installed (Debian: `apt-get install postgresql`). With `--url postgres://user:password@host/database` it takes that
 * one instead, and makes the tables `sensors`, `readings` and `highest` there.
 */
import { JdbcLookup, JdbcSink, JdbcSource, postgresDialect, type JdbcConnectionOptions } from "@millrace/connector-postgres";
import { AsyncDataStream, ParameterTool, StreamExecutionEnvironment, WatermarkStrategy } from "millrace";
import pg from "pg";
import { PostgresServer } from "../tools/services/postgres/postgres-server.js";

interface Reading {
  readonly id: bigint;
  readonly sensor: number;
  readonly celsius: number;
}
interface Located extends Reading {
  readonly place: string;
}

const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const env = StreamExecutionEnvironment.getExecutionEnvironment();

const TABLES = `
  DROP TABLE IF EXISTS sensors, readings, highest;
  CREATE TABLE sensors (id int PRIMARY KEY, place text NOT NULL);
  INSERT INTO sensors VALUES (1, 'cellar'), (2, 'kitchen'), (3, 'attic'), (4, 'kitchen');
  CREATE TABLE readings (id bigint PRIMARY KEY, sensor int NOT NULL, celsius double precision NOT NULL);
  INSERT INTO readings SELECT i, i % 5, 15 + i * 37 % 200 / 10.0 FROM generate_series(1, 2000) AS i;
  CREATE TABLE highest (place text PRIMARY KEY, celsius double precision NOT NULL);`;

// This module runs again in every slot. What `once` computes is computed by the first run alone, so there is one server, and all slots know its address.
let server: PostgresServer | undefined;
const url = await env.once("url", async () => {
  const given = parameters.get("url");
  if (given === undefined) server = await PostgresServer.start();
  const client = new pg.Client(given ?? server!.url);
  await client.connect();
  await client.query(TABLES);
  await client.end();
  return given ?? server!.url;
});
const connection: JdbcConnectionOptions = { dialect: postgresDialect, url };

const readings = env.fromSource(
  JdbcSource.of<Reading>({ connection, table: "readings", partition: { column: "id", splits: 4 }, keyColumn: "id" }),
  WatermarkStrategy.noWatermarks(), "Readings",
);

const located = AsyncDataStream.unorderedWait(readings, JdbcLookup.of<Reading, Located>({
  connection, table: "sensors", keyColumns: ["id"], key: (reading) => reading.sensor,
  // There is no sensor 0: its readings are left out.
  join: (reading, [sensor]) => (sensor === undefined ? [] : [{ ...reading, place: sensor["place"] as string }]),
  cache: { maxRows: 1000, expireAfterWrite: "1 min" },
}), "30 s");

located
  .keyBy(({ place }) => place)
  .reduce((highest, reading) => (reading.celsius > highest.celsius ? reading : highest))
  .sinkTo(JdbcSink.of<Located>({ connection, table: "highest", columns: ["place", "celsius"], keyColumns: ["place"] }))
  .uid("highest");

await env.execute("Database enrichment");

const client = new pg.Client(url);
await client.connect();
const { rows } = await client.query<{ place: string; celsius: number }>("SELECT * FROM highest ORDER BY place");
for (const { place, celsius } of rows) console.log(`${place}: ${celsius.toFixed(1)}`);
await client.end();
await server?.remove();
