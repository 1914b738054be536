import assert from "node:assert/strict";
import { test } from "node:test";
import { isMillraceError, type MetricGroup, type SinkWriterContext } from "@millrace/core";
import { expectFailure } from "../../connector-jdbc/test/databases/failures.js";
import { sinkSuite, writeAll } from "../../connector-jdbc/test/databases/sink-suite.js";
import { JdbcSink } from "../src/index.js";
import { postgresUnderTest } from "./postgres-under-test.js";

const { database } = sinkSuite(postgresUnderTest);

test("keys whose texts differ and that the database takes for equal", { skip: postgresUnderTest.skip }, async () => {
  await database().sql("CREATE TABLE decimals (k numeric PRIMARY KEY, v int)");
  const rows = [{ k: "1.0", v: 1 }, { k: "1.00", v: 2 }, { k: "2", v: 3 }, { k: "1", v: 4 }];
  await writeAll(database(), rows, { table: "decimals", columns: ["k", "v"], keyColumns: ["k"] });
  assert.deepEqual(await database().sql("SELECT k::int, v FROM decimals ORDER BY k"), [[1, 4], [2, 3]]);
  await writeAll(database(), rows, { table: "decimals", columns: ["k", "v"], keyColumns: ["k"], rowKind: ({ v }) => (v === 4 ? "-D" : "+I") });
  assert.deepEqual(await database().sql("SELECT k::int, v FROM decimals ORDER BY k"), [[2, 3]]);
});

test("texts are keys by their bytes, unless their type says otherwise", { skip: postgresUnderTest.skip }, async () => {
  const rows = [{ k: "a", v: 1 }, { k: "b", v: 2 }, { k: "A", v: 3 }, { k: "a  ", v: 4 }, { k: "b", v: 5 }];
  for (const [table, type, expected] of [
    ["exact_text", "text", [["A", 3], ["a", 1], ["a  ", 4], ["b", 5]]],
    ["exact_varchar", "varchar COLLATE \"C\"", [["A", 3], ["a", 1], ["a  ", 4], ["b", 5]]],
    ["padded", "char(3)", [["A  ", 3], ["a  ", 4], ["b  ", 5]]],
  ] as const) {
    await database().sql(`CREATE TABLE ${table} (k ${type} PRIMARY KEY, v int)`);
    await writeAll(database(), rows, { table, columns: ["k", "v"], keyColumns: ["k"] });
    assert.deepEqual(await database().sql(`SELECT k, v FROM ${table} ORDER BY k COLLATE "C"`), expected, table);
    // Each deletion comes behind the last change of its key.
    await writeAll(database(), [...rows, { k: "b", v: -1 }, { k: "A", v: -1 }], { table, columns: ["k", "v"], keyColumns: ["k"], rowKind: ({ v }) => (v < 0 ? "-D" : "+I") });
    const left = expected.filter(([k]) => k.trim() !== "A" && k.trim() !== "b");
    assert.deepEqual(await database().sql(`SELECT k, v FROM ${table} ORDER BY k COLLATE "C"`), left, table);
  }
});

test("values beyond a column's range or precision are refused with their row", { skip: postgresUnderTest.skip }, async () => {
  await database().sql("CREATE TABLE precise (id int PRIMARY KEY, at timestamp(3))");
  const options = { table: "precise", columns: ["id", "at"] as const, keyColumns: ["id"] };
  assert.match((await expectFailure(writeAll(database(), [{ id: 1, at: null }, { id: 3e9, at: null }], options), "JDBC_ROW_REFUSED")).message, /id=3000000000.*22003/);
  assert.match((await expectFailure(writeAll(database(), [{ id: 1, at: "2024-01-01T00:00:00.0001" }], options), "JDBC_VALUE_INVALID")).message, /3 digits of the second/);
});

test("what passes by is tried again, and not for ever", { skip: postgresUnderTest.skip }, async () => {
  // A sequence counts on even when its transaction is rolled back.
  await database().sql(`
    CREATE TABLE contended (id int PRIMARY KEY); CREATE SEQUENCE attempts;
    CREATE FUNCTION contend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('attempts') <= 3 THEN RAISE EXCEPTION 'as planned' USING ERRCODE = CASE currval('attempts') % 2 WHEN 0 THEN '40P01' ELSE '40001' END; END IF;
      RETURN NEW; END $$;
    CREATE TRIGGER contend BEFORE INSERT ON contended FOR EACH STATEMENT EXECUTE FUNCTION contend()`);
  const options = { table: "contended", columns: { id: (id: number) => id }, keyColumns: ["id"] };
  await writeAll(database(), [1, 2, 3], { ...options, execution: { maxRetries: 3 } });
  assert.deepEqual(await database().sql("SELECT id FROM contended ORDER BY id"), [[1], [2], [3]]);
  await database().sql("ALTER SEQUENCE attempts RESTART");
  const sink = JdbcSink.of<number>({ connection: database().connection, ...options, execution: { maxRetries: 2 } });
  const counts = new Map<string, { count: number; inc(by?: number): void; dec(): void }>();
  const group: MetricGroup = {
    addGroup: () => group, meter: () => assert.fail(), histogram: () => assert.fail(), gauge: (_, value) => ({ value: value() }),
    counter: (name) => {
      const counter = { count: 0, inc: (by = 1) => void (counter.count += by), dec: () => undefined };
      counts.set(name, counter);
      return counter;
    },
  };
  const writer = await sink.createWriter({ subtaskIndex: 0, parallelism: 1, metrics: group } as SinkWriterContext);
  await writer.write(4, { timestamp: undefined, currentWatermark: 0 });
  await assert.rejects(async () => writer.flush(false), (error) => isMillraceError(error) && error.code === "JDBC_WRITE_FAILED" && error.recovery === "restart");
  await writer.close();
  assert.deepEqual([counts.get("numRecordsSend")!.count, counts.get("numRecordsSendErrors")!.count], [0, 1]);
});
