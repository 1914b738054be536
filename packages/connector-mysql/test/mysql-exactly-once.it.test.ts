import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isMillraceError } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "@millrace/testkit";
import { createConnection } from "mysql2/promise";
import type { MessageFault } from "../../../tools/services/proxy/message-faults.js";
import { TcpProxy } from "../../../tools/services/proxy/tcp-proxy.js";
import { MariadbServer, mariadbMissing } from "../../../tools/services/mariadb/mariadb-server.js";
import { JdbcSink, mysqlDialect, type JdbcSinkOptions } from "../src/index.js";

const skip = mariadbMissing() ?? false;
const miniCluster = new MiniCluster({
  config: { "execution.checkpointing.interval": "100 ms", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 50, "restart-strategy.fixed-delay.delay": "10 ms" },
});
const COUNT = 6000;
let server: MariadbServer;
let proxy: TcpProxy;

before(async () => {
  miniCluster.start();
  if (skip !== false) return;
  server = await MariadbServer.start();
  proxy = await TcpProxy.listen({ targetPort: server.port });
});
after(async () => {
  await miniCluster.stop();
  await proxy?.close();
  await server?.remove();
});

async function sql(text: string): Promise<any[][]> {
  const client = await createConnection({ uri: server.url, rowsAsArray: true, multipleStatements: true });
  try {
    const [rows] = await client.query(text);
    return rows as any[][];
  } finally {
    await client.end();
  }
}

const prepared = async (): Promise<string[]> => (await sql("XA RECOVER")).map((row) => String(row[3]));
const xid = (name: string): string => (name.length <= 64 ? `'${name}'` : `'${name.slice(0, 64)}','${name.slice(64)}'`);

const sinkOf = (table: string, more: Partial<JdbcSinkOptions<number>> = {}): JdbcSink<number> =>
  JdbcSink.of<number>({
    connection: { dialect: mysqlDialect, url: server.url.replace(String(server.port), String(proxy.port)) },
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
  const [counts] = await sql(`SELECT count(*), count(DISTINCT id), min(id), max(id) FROM ${table}`);
  assert.deepEqual(counts!.map(Number), [COUNT, COUNT, 0, COUNT - 1]);
  assert.deepEqual((await prepared()).filter((name) => name.startsWith(table)), [], "a transaction was left open");
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

for (const [at, how] of [["XA PREPARE", "before"], ["XA PREPARE", "after"], ["XA COMMIT", "before"], ["XA COMMIT", "after"], ["INSERT INTO `at", "after"]] as const) {
  for (const crash of [false, true]) {
    test(`no row is lost or doubled when the ${crash ? "server crashes" : "connection breaks"} ${how} ${at}`, { skip, timeout: 120_000 }, async () => {
      const table = `at_${at.toLowerCase().replace(/\W.*$/, "").concat(at.slice(3, 5))}_${how}_${crash}`;
      await sql(`CREATE TABLE ${table} (id int)`);
      let restarted: Promise<void> = Promise.resolve();
      const then = crash ? async (): Promise<void> => {
        restarted = server.process.stop().then(() => server.start());
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
    at: "XA COMMIT", how: "hold", then: async () => {
      for (const name of await prepared()) await sql(`XA ROLLBACK ${xid(name)}`);
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
  const leave = (name: string, id: number): Promise<unknown> => sql(`XA START ${xid(name)}; INSERT INTO fresh VALUES (${id}); XA END ${xid(name)}; XA PREPARE ${xid(name)}`);
  await sql("TRUNCATE fresh");
  // They hold keys that the next run needs.
  const own = [`${base}oldjobid_0_3_0`, `${base}oldjobid_1_1_0`, `${base}oldjobid_6_1_0`, `${base}oldjobid_7_900_0`];
  for (const [i, name] of own.entries()) await leave(name, i);
  const others = ["freshly_12345678_oldjobid_0_3_0", `${base}x_y_z`, "fresh_87654321_oldjobid_0_3_0"];
  for (const [i, name] of others.entries()) await leave(name, COUNT + i);
  await writeSlowly(sink());
  assert.deepEqual((await prepared()).sort(), others.sort());
  for (const name of others) await sql(`XA ROLLBACK ${xid(name)}`);
  await expectEachOnce("fresh");
});
