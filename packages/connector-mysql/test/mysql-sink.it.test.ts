import assert from "node:assert/strict";
import { test } from "node:test";
import { sinkSuite, writeAll } from "../../connector-jdbc/test/databases/sink-suite.js";
import { mariadbUnderTest } from "./mariadb-under-test.js";

const { database } = sinkSuite(mariadbUnderTest);

test("the collation says which rows are the same, and the order of changes counts", { skip: mariadbUnderTest.skip }, async () => {
  await database().sql("CREATE TABLE collated (a INT, b VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, v TEXT, PRIMARY KEY (a, b)) CHARACTER SET utf8mb4; INSERT INTO collated VALUES (1, 'x', 'old'), (2, 'y', 'old')");
  type Change = { readonly a: number; readonly b: string; readonly v: string | null; readonly deleted?: boolean };
  const write = (rows: readonly Change[], mode: "upsert" | "insert-ignore"): Promise<void> =>
    writeAll<Change>(database(), rows, { table: "collated", columns: ["a", "b", "v"], keyColumns: ["a", "b"], mode, rowKind: ({ deleted }) => (deleted === true ? "-D" : "+I") });
  await write([{ a: 1, b: "X", v: "1" }, { a: 1, b: "x", v: "2'\\\"☂\n" }, { a: 2, b: "Y", v: "", deleted: true }, { a: 3, b: "z", v: "3" }, { a: 3, b: "Z", v: "", deleted: true }, { a: 3, b: "z", v: null }], "upsert");
  await write([{ a: 1, b: "x", v: "ignored" }, { a: 4, b: "new", v: "4" }], "insert-ignore");
  assert.deepEqual(await database().sql("SELECT a, v FROM collated ORDER BY a"), [[1, "2'\\\"☂\n"], [3, null], [4, "4"]]);
});
