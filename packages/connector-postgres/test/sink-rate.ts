// How many rows a second the sink writes, with what COPY by psql does as the limit. For benchmarks; by itself: `node --import tsx packages/connector-postgres/test/sink-rate.ts [rows]`.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "@millrace/testkit";
import pg from "pg";
import { PostgresServer } from "../../../tools/services/postgres/postgres-server.js";
import { JdbcSink, postgresDialect, type JdbcSinkOptions } from "../src/index.js";

interface Row {
  readonly id: number;
  readonly customer: number;
  readonly amount: number;
  readonly note: string;
}

export interface SinkRates {
  readonly rows: number;
  /** Rows a second by `COPY … FROM STDIN` of psql: no sink can be faster. */
  readonly copy: number;
  /** By the sink's mode and guarantee. */
  readonly sinks: Readonly<Record<string, number>>;
}

const rowOf = (id: number): Row => ({ id, customer: id % 1000, amount: id / 4, note: `note number ${id}` });

/** Writes so many rows in each way into tables of its own. @param url of a server whose tables `sink_rate…` may be dropped */
export async function sinkRates(url: string, rows: number): Promise<SinkRates> {
  const admin = new pg.Client(url);
  await admin.connect();
  const cluster = new MiniCluster({ config: { "execution.checkpointing.interval": "1 s" } });
  cluster.start();
  const timed = async (table: string, constraint: string, work: () => unknown): Promise<number> => {
    await admin.query(`DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (id bigint ${constraint}, customer int, amount double precision, note text)`);
    const beginMs = performance.now();
    await work();
    return Math.round(rows / ((performance.now() - beginMs) / 1000));
  };
  try {
    const input = Array.from({ length: rows }, (_, id) => `${Object.values(rowOf(id)).join("\t")}\n`).join("");
    const copy = await timed("sink_rate_copy", "", () => {
      const { status, stderr } = spawnSync("psql", [url, "-q", "-c", "COPY sink_rate_copy FROM STDIN"], { input, encoding: "utf8" });
      if (status !== 0) throw new Error(stderr);
    });
    const write = (table: string, constraint: string, more: Partial<JdbcSinkOptions<Row>>): Promise<number> => timed(table, constraint, async () => {
      const env = StreamExecutionEnvironment.getExecutionEnvironment();
      env.setParallelism(1);
      env.fromSequence(0, rows - 1).map(rowOf).sinkTo(JdbcSink.of<Row>({ connection: { dialect: postgresDialect, url }, table, columns: ["id", "customer", "amount", "note"], ...more })).uid(table);
      await env.execute();
    });
    const exactlyOnce = { deliveryGuarantee: "exactly-once", exactlyOnce: { transactionIdPrefix: "sink-rate" } } as const;
    const sinks = {
      "insert, at least once": await write("sink_rate_insert", "", {}),
      "insert, exactly once": await write("sink_rate_insert_once", "", exactlyOnce),
      "upsert, at least once": await write("sink_rate_upsert", "PRIMARY KEY", { keyColumns: ["id"] }),
      "upsert, exactly once": await write("sink_rate_upsert_once", "PRIMARY KEY", { keyColumns: ["id"], ...exactlyOnce }),
    };
    return { rows, copy, sinks };
  } finally {
    await cluster.stop();
    await admin.end();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await PostgresServer.start();
  try {
    console.log(JSON.stringify(await sinkRates(server.url, Number(process.argv[2] ?? 200_000)), undefined, 2));
  } finally {
    await server.remove();
  }
}
