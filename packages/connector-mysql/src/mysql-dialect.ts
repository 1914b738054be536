import type { JdbcColumn, JdbcDialect, JdbcParameter } from "@millrace/connector-jdbc";
import { MysqlConnection } from "./mysql-connection.js";
import { mysqlFailure } from "./mysql-failure.js";
import { literalOf, parameterOf, quote, quoteTable } from "./mysql-literals.js";

/** MariaDB 10.5 and later, MySQL 8.0 and later, by the library `mysql2`. */
export const mysqlDialect: JdbcDialect = {
  name: "MySQL",
  schemes: ["mysql", "mariadb"],
  defaultPort: 3306,
  twoPhaseHint: "see the server's documentation of XA transactions",
  connect: (target) => MysqlConnection.open(target),
  failureOf: mysqlFailure,
  quote,
  quoteTable,
  placeholder: () => "?",
  parameterOf,
  lockTimeout: (ms) => `SET SESSION innodb_lock_wait_timeout = ${Math.ceil(ms / 1000)}`,
  createTransactionTable: (table) => `CREATE TABLE IF NOT EXISTS ${quoteTable(table)} (name varchar(200) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, epoch bigint, prepared_ms bigint) ENGINE=InnoDB`,
  async nextEpoch(connection, table, name) {
    await connection.execute(`INSERT INTO ${quoteTable(table)} (name, epoch) VALUES (?, LAST_INSERT_ID(1)) ON DUPLICATE KEY UPDATE epoch = LAST_INSERT_ID(epoch + 1)`, [name]);
    const { rows } = await connection.execute("SELECT LAST_INSERT_ID()");
    return Number(rows[0]![0]);
  },
  lookupQuery(table: string, columns: readonly string[], keyColumns: readonly JdbcColumn[], keys: readonly (readonly JdbcParameter[])[]) {
    const selected = columns.length === 0 ? "t.*" : columns.map((column) => `t.${quote(column)}`).join(", ");
    // Each key a query of its own, in one statement: every one uses the index, and the database compares.
    const queries = keys.map((key, at) => {
      const conditions = keyColumns.map(({ name, type }, i) => `t.${quote(name)} = ${literalOf(type, key[i]!)}`).join(" AND ");
      return `(SELECT ${at} AS millrace_key, ${selected} FROM ${quoteTable(table)} AS t WHERE ${conditions})`;
    });
    return { sql: queries.join(" UNION ALL "), parameters: [] };
  },
};
