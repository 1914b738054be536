import type { JdbcColumn, JdbcDialect, JdbcParameter } from "@millrace/connector-jdbc";
import { PostgresConnection } from "./postgres-connection.js";
import { postgresFailure } from "./postgres-failure.js";
import { literal, quote, quoteTable } from "./postgres-names.js";
import { arraysOf } from "./postgres-table-writer.js";

/** PostgreSQL 12 and later, by the library `pg`. */
export const postgresDialect: JdbcDialect = {
  name: "PostgreSQL",
  schemes: ["postgres", "postgresql"],
  defaultPort: 5432,
  twoPhaseHint: "set max_prepared_transactions in postgresql.conf to twice the sinks' subtasks at least, and restart the server",
  connect: (target) => PostgresConnection.open(target),
  failureOf: postgresFailure,
  quote,
  quoteTable,
  placeholder: (position) => `$${position}`,
  parameterOf: (_column, text): JdbcParameter => (typeof text === "string" ? text : `\\x${Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("hex")}`),
  lockTimeout: (ms) => `SET lock_timeout = ${ms}`,
  createTransactionTable: (table) => `CREATE TABLE IF NOT EXISTS ${quoteTable(table)} (name varchar(200) PRIMARY KEY, epoch bigint, prepared_ms bigint)`,
  async nextEpoch(connection, table, name) {
    const { rows } = await connection.execute(
      `INSERT INTO ${quoteTable(table)} AS t (name, epoch) VALUES (${literal(name)}, 1) ON CONFLICT (name) DO UPDATE SET epoch = t.epoch + 1 RETURNING epoch`);
    return Number(rows[0]![0]);
  },
  lookupQuery(table: string, columns: readonly string[], keyColumns: readonly JdbcColumn[], keys: readonly (readonly JdbcParameter[])[]) {
    const count = keyColumns.length;
    const selected = columns.length === 0 ? "t.*" : columns.map((column) => `t.${quote(column)}`).join(", ");
    const arrays = keyColumns.map((_, i) => `$${i + 1}::text[]`).join(", ");
    const aliases = keyColumns.map((_, i) => `k${i}`).join(", ");
    const conditions = keyColumns.map(({ name, type }, i) => `t.${quote(name)} = u.k${i}${type.name === "text" ? "" : `::${type.name}`}`).join(" AND ");
    return { sql: `SELECT u.at - 1, ${selected} FROM unnest(${arrays}) WITH ORDINALITY AS u(${aliases}, at) JOIN ${quoteTable(table)} AS t ON ${conditions}`, parameters: arraysOf(keys, count) };
  },
};
