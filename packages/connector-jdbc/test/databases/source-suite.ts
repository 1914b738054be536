import assert from "node:assert/strict";
import { test } from "node:test";
import { WatermarkStrategy, type MetricGroup, type RuntimeContext } from "@millrace/core";
import { AsyncDataStream, StreamExecutionEnvironment } from "@millrace/datastream";
import { JdbcLookup, JdbcSink, JdbcSource, MALFORMED_ROWS, type JdbcLookupOptions, type JdbcRow, type JdbcSourceOptions, type MalformedRow } from "../../src/index.js";
import { expectFailure } from "./failures.js";
import { runningSuite, type RunningSuite } from "./running-suite.js";
import type { DatabaseUnderTest } from "./test-database.js";

/** Rows of the table `numbers`: `id` from 0, unique; `half` of it, a decimal; `few`, NULL for every tenth. */
export const COUNT = 5000;

export interface SourceSuiteOptions {
  /** Ways to read all rows of `numbers`. */
  readonly ways: Readonly<Record<string, Omit<JdbcSourceOptions<number>, "connection">>>;
  /** How records of a job find the row of their id. */
  readonly lookup: Pick<JdbcLookupOptions<number, string>, "keyColumns" | "key">;
}

/** Sources and lookups, while jobs fail, connections break, and servers are away or silent. */
export function sourceSuite(underTest: DatabaseUnderTest, { ways, lookup }: SourceSuiteOptions): RunningSuite {
  const { skip, createNumbers } = underTest;
  const suite = runningSuite(underTest, { "execution.checkpointing.interval": "30 ms", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 50, "restart-strategy.fixed-delay.delay": "10 ms" }, createNumbers);
  const { database } = suite;
  const all = Array.from({ length: COUNT }, (_, i) => i);

  for (const [name, options] of Object.entries(ways)) {
    test(`every row once, by ${name}, while the job fails and connections break`, { skip }, async () => {
      const env = StreamExecutionEnvironment.getExecutionEnvironment();
      env.setParallelism(2);
      let seen = 0;
      let failures = 0;
      const source = JdbcSource.of<number>({ connection: database().connection, deserializer: (row) => Number(row["id"]), fetchSize: 100, ...options });
      const ids = await env.fromSource(source, WatermarkStrategy.noWatermarks(), "numbers").asyncMap(async (id) => {
        // Slow enough for some checkpoints.
        if (id % 25 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
        return id;
      }, { capacity: 3 }).map((id) => {
        if (++seen % 1500 === 700) database().proxy.reset();
        if (failures < 2 && seen > 1200 * (failures + 1)) {
          failures++;
          throw new Error("as planned");
        }
        return id;
      }).executeAndCollect();
      assert.equal(failures, 2);
      assert.deepEqual(ids.sort((a, b) => a - b), all);
    });
  }

  for (const keyColumn of ["id", undefined]) {
    test(`rows that are no records fail the job, are left out, or go to the side, each once, ${keyColumn === undefined ? "in whole splits" : "by key"}`, { skip }, async () => {
      // Of a row with NULL the deserializer makes nothing.
      const options: Omit<JdbcSourceOptions<number>, "connection"> = {
        table: "numbers", columns: ["id", "few"], partition: { column: "id", splits: 10 }, ...(keyColumn === undefined ? {} : { keyColumn }), fetchSize: 100,
        deserializer: ({ id, few }) => {
          if (few === null) throw new Error(`there are not a few of ${String(id)}`);
          return Number(id);
        },
      };
      const read = async (onError: "skip" | "side-output"): Promise<{ records: number[]; malformed: MalformedRow[] }> => {
        const env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setParallelism(2);
        const stream = env.fromSource(JdbcSource.of<number>({ ...options, connection: database().connection, onError }), WatermarkStrategy.noWatermarks(), "numbers");
        let seen = 0;
        const failing = stream.map((id) => {
          if (++seen === 2000) throw new Error("as planned");
          return { id, row: undefined as MalformedRow | undefined };
        }).union(stream.getSideOutput(MALFORMED_ROWS).map((row): { id: number; row: MalformedRow | undefined } => ({ id: -1, row })));
        const results = await failing.executeAndCollect();
        return { records: results.filter(({ row }) => row === undefined).map(({ id }) => id).sort((a, b) => a - b), malformed: results.flatMap(({ row }) => row ?? []) };
      };
      const good = all.filter((id) => id % 10 !== 0);
      assert.deepEqual(await read("skip"), { records: good, malformed: [] });
      const { records, malformed } = await read("side-output");
      assert.deepEqual(records, good);
      const [first] = malformed.toSorted((a, b) => Number(a.values["id"]) - Number(b.values["id"]));
      assert.deepEqual({ ...first, values: { id: String(first?.values["id"]), few: first?.values["few"] } }, { table: "numbers", values: { id: "0", few: null }, message: "table numbers: the deserializer does not take a row: there are not a few of 0" });
      assert.deepEqual(malformed.map(({ values }) => Number(values["id"])).sort((a, b) => a - b), all.filter((id) => id % 10 === 0));

      const failing = StreamExecutionEnvironment.getExecutionEnvironment();
      failing.fromSource(JdbcSource.of<number>({ ...options, connection: database().connection }), WatermarkStrategy.noWatermarks(), "numbers").discard();
      await expectFailure(failing.execute(), "JDBC_ROW_MALFORMED");
    });
  }

  test("values without an exact form are left out, too", { skip }, async () => {
    await database().sql("CREATE TABLE large (id bigint PRIMARY KEY)");
    await database().sql("INSERT INTO large VALUES (1), (9007199254740993), (2)");
    const env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.setParallelism(1);
    const rows = await env.fromSource(JdbcSource.of<JdbcRow>({ connection: database().connection, table: "large", keyColumn: "id", types: { int8: "number" }, onError: "skip" }), WatermarkStrategy.noWatermarks(), "large").executeAndCollect();
    assert.deepEqual(rows.map(({ id }) => id), [1, 2]);
  });

  test("a job whose database has fallen silent can be cancelled", { skip }, async () => {
    await database().sql("CREATE TABLE silent (id int)");
    const env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.setParallelism(1);
    let silent: () => void = () => undefined;
    const isSilent = new Promise<void>((resolve) => (silent = resolve));
    env.fromSource(JdbcSource.of<JdbcRow>({ connection: database().connection, table: "numbers", columns: ["id"], keyColumn: "id", fetchSize: 100 }), WatermarkStrategy.noWatermarks(), "numbers").map(({ id }) => {
      if (Number(id) === 1000) {
        database().proxy.forsake();
        silent();
      }
      return id;
    }).sinkTo(JdbcSink.of<unknown>({ connection: database().connection, table: "silent", columns: { id: (id) => id }, execution: { batchSize: 10 } }));
    const job = await env.executeAsync();
    await isSilent;
    await job.cancel();
    await assert.rejects(job.getJobExecutionResult());
  });

  test("a job enriches its records, whatever happens to connections", { skip }, async () => {
    const env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.setParallelism(2);
    let seen = 0;
    const stream = env.fromSequence(0, 999).map((id) => {
      if (++seen % 300 === 0) database().proxy.reset();
      return id;
    });
    const enriched = await AsyncDataStream.unorderedWait(stream, JdbcLookup.of<number, string>({
      ...lookup, connection: database().connection, table: "numbers", columns: ["id", "half"], join: (id, [row]: readonly JdbcRow[]) => [`${id}=${Number(row?.["half"])}`], maxRetries: 10,
      cache: { maxRows: 100 }, connections: 3,
    }), "30 s", 20).executeAndCollect();
    assert.deepEqual(enriched.sort(), all.slice(0, 1000).map((i) => `${i}=${i / 2}`).sort());
  });

  test("a server that comes late is waited for, and one that does not is named", { skip }, async () => {
    await database().sql("CREATE TABLE late (id INT)");
    await database().crash();
    const env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.setParallelism(1);
    env.fromSequence(1, 10).sinkTo(JdbcSink.of<number>({ connection: database().direct, table: "late", columns: { id: (id) => id } }));
    const waiting = env.execute();
    const impatient = JdbcLookup.of<number, JdbcRow>({ connection: { ...database().direct, connectionWaitMs: 0 }, table: "late", keyColumns: ["id"], key: (id) => id, join: (_, rows) => rows }).create();
    const group: MetricGroup = { addGroup: () => group, counter: () => undefined as never, gauge: () => undefined as never, meter: () => undefined as never, histogram: () => undefined as never };
    const { message } = await expectFailure(Promise.resolve().then(() => impatient.open?.({ metrics: group } as RuntimeContext)), "JDBC_UNREACHABLE");
    assert.doesNotMatch(message, /secret/);
    await database().restart();
    await waiting;
    assert.deepEqual((await database().sql("SELECT COUNT(*), SUM(id) FROM late")).map((row) => row.map(Number)), [[10, 55]]);
  });

  return suite;
}
