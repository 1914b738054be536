import { COUNT, sourceSuite } from "../../connector-jdbc/test/databases/source-suite.js";
import { JdbcNumericBetweenParametersProvider, type JdbcSourceOptions } from "../src/index.js";
import { mariadbUnderTest } from "./mariadb-under-test.js";

const ways: Readonly<Record<string, Omit<JdbcSourceOptions<number>, "connection">>> = {
  "ranges of the key": { table: "numbers", partition: { column: "id", splits: 7 }, keyColumn: "id", columns: ["id", "day"] },
  "ranges of a decimal, in whole splits": { table: "numbers", partition: { column: "half", splits: 20 } },
  "ranges of a date": { table: "test.numbers", partition: { column: "day", splitSize: 9 }, keyColumn: "id" },
  "ranges of a time stamp": { table: "numbers", partition: { column: "at", splitSize: 1000 } },
  "ranges of a column with NULL": { table: "numbers", partition: { column: "few", splits: 10 }, keyColumn: "id" },
  "given bounds": { table: "numbers", partition: { column: "at", splits: 3, lower: "2024-01-01T00:00:00Z", upper: new Date("2024-01-02") } },
  "a query with parameters": { query: "SELECT id, half, '?' AS mark FROM numbers WHERE id BETWEEN ? AND ? /* ? */", parameters: new JdbcNumericBetweenParametersProvider(0, COUNT - 1).ofBatchSize(300) },
  "a query with parameters, by key": { query: "SELECT id, name FROM numbers WHERE few <=> ? -- by key", parameters: [[0], [1], ["2"], [null]], keyColumn: "id" },
};
// The collation says what equals a name.
sourceSuite(mariadbUnderTest, { ways, lookup: { keyColumns: ["name"], key: (id) => `NAME ${id}` } });
