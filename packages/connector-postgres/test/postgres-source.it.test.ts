import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { WatermarkStrategy, type RuntimeContext } from "@millrace/core";
import { AsyncDataStream, StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster } from "@millrace/testkit";
import pg from "pg";
import { TcpProxy } from "../../../tools/services/proxy/tcp-proxy.js";
import { PostgresServer, postgresMissing } from "../../../tools/services/postgres/postgres-server.js";
import { JdbcLookup, JdbcNumericBetweenParametersProvider, JdbcSink, JdbcSource, postgresDialect, type JdbcConnectionOptions, type JdbcLookupOptions, type JdbcRow, type JdbcSourceOptions } from "../src/index.js";

const skip = postgresMissing() ?? false;
const COUNT = 5000;
const miniCluster = new MiniCluster({
  config: { "execution.checkpointing.interval": "30 ms", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 50, "restart-strategy.fixed-delay.delay": "10 ms" },
});
let server: PostgresServer;
let proxy: TcpProxy;
let admin: pg.Client;
let connection: JdbcConnectionOptions;
const folder = mkdtempSync(join(tmpdir(), "millrace-jdbc-"));

before(async () => {
  miniCluster.start();
  if (skip !== false) return;
  server = await PostgresServer.start();
  proxy = await TcpProxy.listen({ targetPort: server.port });
  admin = new pg.Client(server.url);
  await admin.connect();
  connection = { dialect: postgresDialect, url: server.url.replace(String(server.port), String(proxy.port)) };
  await admin.query("CREATE TABLE numbers (id bigint PRIMARY KEY, half numeric, day date NOT NULL, at timestamptz, few int)");
  await admin.query(`INSERT INTO numbers SELECT i, i / 2.0, '2024-01-01'::date + i / 50, '2024-01-01Z'::timestamptz + i * interval '1.5 ms', CASE WHEN i % 10 = 0 THEN NULL ELSE i % 3 END FROM generate_series(0, ${COUNT - 1}) i`);
});
after(async () => {
  await miniCluster.stop();
  await proxy?.close();
  await admin?.end();
  await server?.remove();
  rmSync(folder, { recursive: true, force: true });
});

type Options = Omit<JdbcSourceOptions<number>, "connection">;

/** The ids that a source gives, in order. `onRecord` sees each on its way. */
async function idsOf(options: Options, onRecord: (seen: number) => void = () => undefined, parallelism: number = 2): Promise<number[]> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(parallelism);
  let seen = 0;
  const source = JdbcSource.of<number>({ connection, deserializer: (row) => Number(row["id"]), fetchSize: 100, ...options });
  const ids = await env.fromSource(source, WatermarkStrategy.noWatermarks(), "numbers").asyncMap(async (id) => {
    // Slow enough for some checkpoints.
    if (id % 25 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    return id;
  }, { capacity: 3 }).map((id) => {
    onRecord(++seen);
    return id;
  }).executeAndCollect();
  return ids.sort((a, b) => a - b);
}

const all = Array.from({ length: COUNT }, (_, i) => i);

const ways: Readonly<Record<string, Options>> = {
  "one split": { table: "numbers", keyColumn: "id" },
  "ranges of the key": { table: "numbers", partition: { column: "id", splits: 7 }, keyColumn: "id", columns: ["id", "day"] },
  "ranges of a decimal, in whole splits": { table: "numbers", partition: { column: "half", splits: 20 } },
  "ranges of a date": { table: "numbers", partition: { column: "day", splitSize: 9 }, keyColumn: "id" },
  "ranges of a time stamp": { table: "public.numbers", partition: { column: "at", splitSize: 1000 } },
  "ranges of a column with NULL": { table: "numbers", partition: { column: "few", splits: 10 }, keyColumn: "id" },
  "given bounds": { table: "numbers", partition: { column: "id", splits: 3, lower: 0, upper: COUNT - 1 }, filter: "id >= 0 OR half IS NULL" },
  "a query with parameters": { query: "SELECT id, half FROM numbers WHERE id BETWEEN $1 AND $2", parameters: new JdbcNumericBetweenParametersProvider(0, COUNT - 1).ofBatchSize(300) },
  "a query with parameters, by key": { query: "SELECT id FROM numbers WHERE few IS NOT DISTINCT FROM $1 -- by key", parameters: [[0], [1], [2], [null]], keyColumn: "id" },
};
for (const [name, options] of Object.entries(ways)) {
  test(`every row once, by ${name}, while the job fails and connections break`, { skip, timeout: 120_000 }, async () => {
    let failures = 0;
    const ids = await idsOf(options, (seen) => {
      if (seen % 1500 === 700) proxy.reset();
      if (failures < 2 && seen > 1200 * (failures + 1)) {
        failures++;
        throw new Error("as planned");
      }
    });
    assert.equal(failures, 2);
    assert.deepEqual(ids, all);
  });
}

test("bounds that are given choose rows, an empty table has none", { skip }, async () => {
  assert.deepEqual(await idsOf({ table: "numbers", partition: { column: "day", splits: 2, lower: "2024-01-02", upper: "2024-01-02" } }), all.slice(50, 100));
  assert.deepEqual(await idsOf({ table: "numbers", filter: "id < 0", partition: { column: "id", splits: 4 } }), []);
});

test("table to table, exactly once, stopped with a savepoint and gone on with another parallelism", { skip, timeout: 120_000 }, async () => {
  await admin.query("CREATE TABLE copied (id bigint, half numeric)");
  let slow = true;
  const build = (parallelism: number, savepoint?: string): StreamExecutionEnvironment => {
    const env = StreamExecutionEnvironment.getExecutionEnvironment(savepoint === undefined ? {} : { "execution.state-recovery.path": savepoint });
    env.setParallelism(parallelism);
    const source = JdbcSource.of<{ id: bigint; half: string }>({ connection, table: "numbers", columns: ["id", "half"], partition: { column: "id", splits: 5 }, keyColumn: "id", fetchSize: 50 });
    env.fromSource(source, WatermarkStrategy.noWatermarks(), "numbers").uid("source").asyncMap(async (row) => {
      if (slow) await new Promise((resolve) => setTimeout(resolve, 2));
      return row;
    }, { capacity: 1 }).uid("slowly").rebalance().sinkTo(JdbcSink.of<{ id: bigint; half: string }>({
      connection, table: "copied", columns: ["id", "half"], deliveryGuarantee: "exactly-once", exactlyOnce: { transactionIdPrefix: "copied" }, execution: { batchSize: 100 },
    })).uid("sink");
    return env;
  };
  let savepoint: string | undefined;
  for (const parallelism of [3, 1]) {
    const client = await build(parallelism, savepoint).executeAsync();
    await miniCluster.job(client).checkpointsCompleted(3);
    savepoint = await client.stopWithSavepoint({ directory: folder });
    // What was committed in between is more with every run, and never all.
    const { rows: [{ count }] } = await admin.query("SELECT count(*)::int FROM copied");
    assert.ok(count > 0 && count < COUNT, `${count}`);
  }
  slow = false;
  await build(2, savepoint).execute();
  const { rows } = await admin.query("SELECT count(*)::int, count(DISTINCT id)::int AS ids, sum(half)::text AS halves FROM copied");
  assert.deepEqual(rows, [{ count: COUNT, ids: COUNT, halves: (await admin.query("SELECT sum(half)::text FROM numbers")).rows[0].sum }]);
  assert.deepEqual((await admin.query("SELECT gid FROM pg_prepared_xacts")).rows, []);
});

interface Counts {
  readonly statements: number;
  readonly hitCount: number;
  readonly missCount: number;
  readonly numCachedRecords: number;
}

/** Looks keys up as a task does, in rounds, and says what it took. */
async function lookup<K>(options: Partial<JdbcLookupOptions<K, unknown>>, rounds: readonly (readonly K[])[]): Promise<{ results: unknown[][]; counts: Counts }> {
  const fn = JdbcLookup.of<K, unknown>({ connection, table: "numbers", keyColumns: ["id"], key: (key) => key, columns: ["id", "half"], join: (key, rows) => [[key, ...rows.map(({ half }) => half)]], ...options }).create();
  const counters = new Map<string, { count: number; inc(by?: number): void; dec(): void }>();
  const gauges = new Map<string, () => unknown>();
  const group = {
    addGroup: () => group, meter: () => assert.fail(), histogram: () => assert.fail(),
    counter: (name: string) => {
      const counter = { count: 0, inc: (by = 1) => void (counter.count += by), dec: () => void counter.count-- };
      counters.set(name, counter);
      return counter;
    },
    gauge: (name: string, value: () => unknown) => {
      gauges.set(name, value);
      return { get value() { return value(); } };
    },
  };
  await fn.open?.({ metrics: group } as unknown as RuntimeContext);
  try {
    const results: unknown[][] = [];
    for (const keys of rounds) results.push((await Promise.all(keys.map((key) => fn.asyncInvoke(key)))).flat());
    const count = (name: string): number => counters.get(name)!.count;
    return { results, counts: { statements: count("loadCount"), hitCount: count("hitCount"), missCount: count("missCount"), numCachedRecords: Number(gauges.get("numCachedRecords")!()) } };
  } finally {
    await fn.close?.();
  }
}

test("lookups are batched, answered once for keys asked at the same time, and cached", { skip }, async () => {
  const keys = [...all.slice(0, 250), 7, 99_999];
  const { results, counts } = await lookup({ cache: { maxRows: 1000 } }, [keys, keys]);
  const expected = keys.map((key) => (key < COUNT ? [key, (key / 2).toFixed(16)] : [key])).map(([key, half]) => (half === undefined ? [key] : [key, Number(half)]));
  for (const result of results) assert.deepEqual(result.map((row) => (row as unknown[]).map(Number)), expected.map((row) => row.map(Number)));
  assert.deepEqual(counts, { statements: 3, hitCount: keys.length, missCount: keys.length, numCachedRecords: 251 });
});

test("a cache forgets the least recently used, missing keys if asked to, and NULL is never asked for", { skip }, async () => {
  const small = await lookup({ cache: { maxRows: 2 } }, [[1], [2], [1], [3], [1], [2]]);
  assert.deepEqual([small.counts.hitCount, small.counts.missCount, small.counts.numCachedRecords], [2, 4, 2]);
  const missing = await lookup({ cache: { maxRows: 10, cacheMissingKeys: false } }, [[-1], [-1]]);
  assert.deepEqual([missing.counts.hitCount, missing.counts.statements], [0, 2]);
  assert.deepEqual((await lookup<number | null>({}, [[null]])).counts.statements, 0);
});

test("several key columns, several rows, keys whose texts differ", { skip }, async () => {
  const { results } = await lookup<readonly [string, number]>(
    { keyColumns: ["half", "id"], columns: ["few"], join: (key, rows) => [[key[0], rows.length, rows[0]?.["few"]]] }, [[["2.0", 4], ["2.00", 4], ["2", 5]]]);
  assert.deepEqual(results, [[["2.0", 1, 1], ["2.00", 1, 1], ["2", 0, undefined]]]);
  const many = await lookup<number>({ keyColumns: ["few"], join: (_, rows) => [rows.length] }, [[1, 2]]);
  assert.deepEqual(many.results[0], [all.filter((i) => i % 10 !== 0 && i % 3 === 1).length, all.filter((i) => i % 10 !== 0 && i % 3 === 2).length]);
});

test("a job enriches its records, whatever happens to connections", { skip, timeout: 60_000 }, async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(2);
  let seen = 0;
  const stream = env.fromSequence(0, 999).map((id) => {
    if (++seen % 300 === 0) proxy.reset();
    return id;
  });
  const enriched = await AsyncDataStream.unorderedWait(stream, JdbcLookup.of<number, string>({
    connection, table: "numbers", keyColumns: ["id"], key: (id) => id, join: (id, [row]: readonly JdbcRow[]) => [`${id}=${Number(row?.["half"])}`], maxRetries: 10,
  }), "30 s", 20).executeAndCollect();
  assert.deepEqual(enriched.sort(), all.slice(0, 1000).map((i) => `${i}=${i / 2}`).sort());
});
