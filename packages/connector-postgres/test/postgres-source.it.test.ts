import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { WatermarkStrategy, type RuntimeContext } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { COUNT, sourceSuite } from "../../connector-jdbc/test/databases/source-suite.js";
import { JdbcLookup, JdbcNumericBetweenParametersProvider, JdbcSink, JdbcSource, type JdbcLookupOptions, type JdbcSourceOptions } from "../src/index.js";
import { postgresUnderTest } from "./postgres-under-test.js";

const ways: Readonly<Record<string, Omit<JdbcSourceOptions<number>, "connection">>> = {
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
const { miniCluster, database } = sourceSuite(postgresUnderTest, { ways, lookup: { keyColumns: ["id"], key: (id) => id } });

const { skip } = postgresUnderTest;
const all = Array.from({ length: COUNT }, (_, i) => i);
const folder = mkdtempSync(join(tmpdir(), "millrace-jdbc-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("bounds that are given choose rows, an empty table has none", { skip }, async () => {
  const idsOf = async (options: Omit<JdbcSourceOptions<number>, "connection">): Promise<number[]> => {
    const env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.setParallelism(2);
    const source = JdbcSource.of<number>({ connection: database().connection, deserializer: (row) => Number(row["id"]), ...options });
    return (await env.fromSource(source, WatermarkStrategy.noWatermarks(), "numbers").executeAndCollect()).sort((a, b) => a - b);
  };
  assert.deepEqual(await idsOf({ table: "numbers", partition: { column: "day", splits: 2, lower: "2024-01-02", upper: "2024-01-02" } }), all.slice(50, 100));
  assert.deepEqual(await idsOf({ table: "numbers", filter: "id < 0", partition: { column: "id", splits: 4 } }), []);
});

test("table to table, exactly once, stopped with a savepoint and gone on with another parallelism", { skip }, async () => {
  await database().sql("CREATE TABLE copied (id bigint, half numeric)");
  const { connection } = database();
  let slow = true;
  /** In this run; from the 300th on rows are slower, so that it lasts until it is stopped. */
  let passed = 0;
  const build = (parallelism: number, savepoint?: string): StreamExecutionEnvironment => {
    const env = StreamExecutionEnvironment.getExecutionEnvironment(savepoint === undefined ? {} : { "execution.state-recovery.path": savepoint });
    env.setParallelism(parallelism);
    const source = JdbcSource.of<{ id: bigint; half: string }>({ connection, table: "numbers", columns: ["id", "half"], partition: { column: "id", splits: 5 }, keyColumn: "id", fetchSize: 50 });
    env.fromSource(source, WatermarkStrategy.noWatermarks(), "numbers").uid("source").asyncMap(async (row) => {
      if (slow) await new Promise((resolve) => setTimeout(resolve, ++passed < 300 ? 2 : 30));
      return row;
    }, { capacity: 1 }).uid("slowly").rebalance().sinkTo(JdbcSink.of<{ id: bigint; half: string }>({
      connection, table: "copied", columns: ["id", "half"], deliveryGuarantee: "exactly-once", exactlyOnce: { transactionIdPrefix: "copied" }, execution: { batchSize: 100 },
    })).uid("sink");
    return env;
  };
  let savepoint: string | undefined;
  for (const parallelism of [3, 1]) {
    passed = 0;
    const client = await build(parallelism, savepoint).executeAsync();
    await miniCluster.job(client).checkpointsCompleted(3);
    savepoint = await client.stopWithSavepoint({ directory: folder });
    // What was committed in between is more with every run, and never all.
    const [[count]] = (await database().sql("SELECT count(*)::int FROM copied")) as [[number]];
    assert.ok(count > 0 && count < COUNT, `${count}`);
  }
  slow = false;
  await build(2, savepoint).execute();
  const [[halves]] = (await database().sql("SELECT sum(half)::text FROM numbers")) as [[string]];
  assert.deepEqual(await database().sql("SELECT count(*)::int, count(DISTINCT id)::int AS ids, sum(half)::text AS halves FROM copied"), [[COUNT, COUNT, halves]]);
  assert.deepEqual(await database().prepared(), []);
});

interface Counts {
  readonly statements: number;
  readonly hitCount: number;
  readonly missCount: number;
  readonly numCachedRecords: number;
}

/** Looks keys up as a task does, in rounds, and says what it took. */
async function lookup<K>(options: Partial<JdbcLookupOptions<K, unknown>>, rounds: readonly (readonly K[])[]): Promise<{ results: unknown[][]; counts: Counts }> {
  const fn = JdbcLookup.of<K, unknown>({ connection: database().connection, table: "numbers", keyColumns: ["id"], key: (key) => key, columns: ["id", "half"], join: (key, rows) => [[key, ...rows.map(({ half }) => half)]], ...options }).create();
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
