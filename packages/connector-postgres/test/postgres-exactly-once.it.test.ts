import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isMillraceError } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "@millrace/testkit";
import pg from "pg";
import type { MessageFault } from "../../../tools/services/proxy/message-faults.js";
import { TcpProxy } from "../../../tools/services/proxy/tcp-proxy.js";
import { PostgresServer, postgresMissing } from "../../../tools/services/postgres/postgres-server.js";
import { JdbcSink, postgresDialect, type JdbcSinkOptions } from "../src/index.js";

const skip = postgresMissing() ?? false;
const miniCluster = new MiniCluster({
  config: { "execution.checkpointing.interval": "100 ms", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 50, "restart-strategy.fixed-delay.delay": "10 ms" },
});
const COUNT = 6000;
let server: PostgresServer;
let proxy: TcpProxy;

before(async () => {
  miniCluster.start();
  if (skip !== false) return;
  server = await PostgresServer.start();
  proxy = await TcpProxy.listen({ targetPort: server.port });
});
after(async () => {
  await miniCluster.stop();
  await proxy?.close();
  await server?.remove();
});

async function sql(text: string, on: PostgresServer = server): Promise<any[][]> {
  const client = new pg.Client(on.url);
  client.on("error", () => undefined);
  await client.connect();
  try {
    const result = await client.query({ text, rowMode: "array" });
    return (Array.isArray(result) ? [] : result.rows) as any[][];
  } finally {
    await client.end();
  }
}

const sinkOf = (table: string, more: Partial<JdbcSinkOptions<number>> = {}): JdbcSink<number> =>
  JdbcSink.of<number>({
    connection: { dialect: postgresDialect, url: server.url.replace(String(server.port), String(proxy.port)) },
    table, columns: { id: (id) => id }, deliveryGuarantee: "exactly-once", exactlyOnce: { transactionIdPrefix: table }, execution: { batchSize: 200 }, ...more,
  });

/** Writes 0 to COUNT - 1, slowly as long as a fault is to come, so that there are checkpoints; `onRecord` sees every record on its way. */
async function writeSlowly(sink: JdbcSink<number>, onRecord: (seen: number) => void = () => undefined, parallelism: number = 2): Promise<void> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(parallelism);
  let seen = 0;
  env.fromSequence(0, COUNT - 1).asyncMap(async (id) => {
    if (proxy.pending > 0 || id % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return id;
  }, { capacity: 3 }).map((id) => {
    onRecord(++seen);
    return id;
  }).sinkTo(sink).uid("sink");
  await env.execute();
}

async function expectEachOnce(table: string): Promise<void> {
  assert.deepEqual(await sql(`SELECT count(*)::int, count(DISTINCT id)::int, min(id)::int, max(id)::int FROM ${table}`), [[COUNT, COUNT, 0, COUNT - 1]]);
  assert.deepEqual(await sql(`SELECT gid FROM pg_prepared_xacts WHERE gid LIKE '${table}%'`), [], "a transaction was left open");
}

test("no row is lost or doubled while the job fails again and again", { skip, timeout: 120_000 }, async () => {
  await sql("CREATE TABLE failing (id int)");
  let failures = 0;
  await writeSlowly(sinkOf("failing"), (seen) => {
    if (seen > 1500 * (failures + 1) && failures < 3) {
      failures++;
      throw new Error("as planned");
    }
  });
  assert.equal(failures, 3);
  await expectEachOnce("failing");
});

for (const [at, how] of [["PREPARE TRANSACTION", "before"], ["PREPARE TRANSACTION", "after"], ["COMMIT PREPARED", "before"], ["COMMIT PREPARED", "after"], ["COPY ", "after"]] as const) {
  for (const crash of [false, true]) {
    test(`no row is lost or doubled when the ${crash ? "server crashes" : "connection breaks"} ${how} ${at}`, { skip, timeout: 120_000 }, async () => {
      const table = `at_${at.toLowerCase().trim().replace(" ", "_")}_${how}_${crash}`;
      await sql(`CREATE TABLE ${table} (id int)`);
      let restarted: Promise<void> = Promise.resolve();
      const then = crash ? async (): Promise<void> => {
        restarted = server.process.stop("SIGQUIT").then(() => server.start());
        await restarted;
      } : (): void => undefined;
      const fault = (skipped: number): MessageFault => ({ at, how, skip: skipped, then });
      proxy.plan(fault(1), fault(1));
      await writeSlowly(sinkOf(table));
      await restarted;
      assert.equal(proxy.pending, 0, "a fault did not happen");
      await expectEachOnce(table);
    });
  }
}

test("upserts of the same keys wait for the commit of those before, and the last one counts", { skip, timeout: 120_000 }, async () => {
  await sql("CREATE TABLE counters (id int PRIMARY KEY, n int)");
  let failed = false;
  await writeSlowly(sinkOf("counters", { columns: { id: () => 7, n: (n) => n }, keyColumns: ["id"] }), (seen) => {
    if (seen > 3000 && !failed) {
      failed = true;
      throw new Error("as planned");
    }
  }, 1);
  assert.deepEqual(await sql("SELECT * FROM counters"), [[7, COUNT - 1]]);
});

test("a transaction that somebody rolled back fails the job, and is not taken for committed", { skip, timeout: 120_000 }, async () => {
  await sql("CREATE TABLE robbed (id int)");
  proxy.plan({
    at: "COMMIT PREPARED", how: "hold", then: async () => {
      for (const [gid] of await sql("SELECT gid FROM pg_prepared_xacts WHERE gid LIKE 'robbed%'")) await sql(`ROLLBACK PREPARED '${gid}'`);
    },
  });
  const thrown = await writeSlowly(sinkOf("robbed"), undefined, 1).then(() => assert.fail("it went on"), (error: Error) => error);
  const codes: string[] = [];
  for (let cause: unknown = thrown; cause !== undefined; cause = (cause as Error).cause) if (isMillraceError(cause)) codes.push(cause.code);
  assert.ok(codes.includes("JDBC_TRANSACTION_LOST"), codes.join());
});

test("a fresh start rolls back what its own earlier runs have left, of all subtasks they had, and nothing else", { skip, timeout: 120_000 }, async () => {
  await sql("CREATE TABLE fresh (id int PRIMARY KEY)");
  const sink = (): JdbcSink<number> => sinkOf("fresh", { keyColumns: ["id"] });
  await writeSlowly(sink());
  const [[epochName]] = await sql("SELECT name FROM millrace_transactions WHERE name LIKE 'epoch fresh%'") as [[string]];
  const base = epochName.slice("epoch ".length);
  const leave = async (name: string, id: number): Promise<void> => void (await sql(`BEGIN; INSERT INTO fresh VALUES (${id}); PREPARE TRANSACTION '${name}'`));
  await sql("TRUNCATE fresh");
  // They hold keys that the next run needs.
  const own = [`${base}oldjobid_0_3_0`, `${base}oldjobid_1_1_0`, `${base}oldjobid_6_1_0`, `${base}oldjobid_7_900_0`];
  for (const [i, name] of own.entries()) await leave(name, i);
  const others = ["freshly_12345678_oldjobid_0_3_0", `${base}x_y_z`, "fresh_87654321_oldjobid_0_3_0"];
  for (const [i, name] of others.entries()) await leave(name, COUNT + i);
  await writeSlowly(sink());
  assert.deepEqual((await sql("SELECT gid FROM pg_prepared_xacts")).flat().sort(), others.sort());
  for (const name of others) await sql(`ROLLBACK PREPARED '${name}'`);
  await expectEachOnce("fresh");
});

test("a server without prepared transactions is refused at the start, one with too few, too", { skip, timeout: 120_000 }, async () => {
  for (const [maximum, expected] of [["0", "JDBC_TWO_PHASE_DISABLED"], ["1", "JDBC_TOO_MANY_PREPARED"]] as const) {
    const small = await PostgresServer.start({ settings: { max_prepared_transactions: maximum } });
    try {
      await sql("CREATE TABLE t (id int)", small);
      const thrown = await writeSlowly(sinkOf("t", { connection: { dialect: postgresDialect, url: small.url } })).then(() => assert.fail("it began"), (error: Error) => error);
      const errors: Error[] = [];
      for (let cause: Error | undefined = thrown; cause !== undefined; cause = cause.cause as Error | undefined) errors.push(cause);
      const refusal = errors.find((error) => isMillraceError(error) && error.code === expected);
      assert.ok(isMillraceError(refusal), errors.map(String).join("\n"));
      assert.match(refusal.hint ?? "", /max_prepared_transactions/);
    } finally {
      await small.remove();
    }
  }
});
