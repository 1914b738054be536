import { MillraceError, didYouMean } from "@millrace/core";
import type { ConnectionPool } from "../connection/connection-pool.js";
import type { JdbcWriteTarget } from "../dialect/jdbc-dialect.js";
import type { JdbcColumn, JdbcParameter } from "../dialect/jdbc-type.js";
import { columnEncoder } from "../types/column-encoder.js";
import { withKinds } from "../types/jdbc-type-options.js";
import type { JdbcTypeSettings } from "../types/jdbc-type-options.js";
import type { JdbcSinkSettings } from "./jdbc-sink-options.js";

/** The named columns of a table, as the database declares them. @throws `JDBC_TABLE_NOT_FOUND`, `JDBC_COLUMN_NOT_FOUND`, `JDBC_UNREACHABLE` */
export async function tableColumns(pool: ConnectionPool, table: string, names: readonly string[], types: JdbcTypeSettings): Promise<readonly JdbcColumn[]> {
  const found = await pool.retrying(`the columns of table ${table}`, (connection) => connection.columnsOf(table));
  const place = `${pool.settings.dialect.name} at ${pool.settings.place}`;
  if (found.length === 0) throw new MillraceError({ code: "JDBC_TABLE_NOT_FOUND", message: `there is no table ${table} in ${place}, or its user may not see it`, hint: "create it; this connector never does" });
  const all = withKinds(found, types);
  return names.map((name) => {
    const column = all.find((one) => one.name === name);
    if (column !== undefined) return column;
    const known = all.map((one) => one.name);
    const hint = didYouMean(name, known);
    throw new MillraceError({ code: "JDBC_COLUMN_NOT_FOUND", message: `table ${table} has no column "${name}"`, hint: hint === "" ? `it has ${known.join(", ")}` : hint });
  });
}

/** How the records of a sink become rows of its table. */
export class TableLayout<T> {
  readonly target: JdbcWriteTarget;
  readonly #encoders: readonly ((value: unknown) => JdbcParameter)[];
  readonly #getters: readonly ((value: T) => unknown)[];

  private constructor(settings: JdbcSinkSettings<T>, columns: readonly JdbcColumn[]) {
    const { table, mode, connection } = settings;
    this.target = { table, mode, columns, keys: settings.keyColumns.map((key) => columns.findIndex(({ name }) => name === key)) };
    this.#encoders = columns.map((column) => columnEncoder(connection.dialect, table, column, settings.types));
    this.#getters = settings.columns.map(({ get }) => get);
  }

  static async of<T>(settings: JdbcSinkSettings<T>, pool: ConnectionPool): Promise<TableLayout<T>> {
    return new TableLayout(settings, await tableColumns(pool, settings.table, settings.columns.map(({ name }) => name), settings.types));
  }

  /** @throws `JDBC_VALUE_INVALID` */
  rowOf(value: T): JdbcParameter[] {
    const { length } = this.#encoders;
    // Pushing would make room for more.
    const row = new Array<JdbcParameter>(length);
    for (let i = 0; i < length; i++) row[i] = this.#encoders[i]!(this.#getters[i]!(value));
    return row;
  }

  /** The row with NULL for all but its key: what a delete needs, whatever the record says elsewhere. @throws `JDBC_VALUE_INVALID` */
  keyOnly(value: T): JdbcParameter[] {
    const row: JdbcParameter[] = this.#encoders.map(() => null);
    for (const key of this.target.keys) row[key] = this.#encoders[key]!(this.#getters[key]!(value));
    return row;
  }

  /** The key as one text, different for different keys. @throws `JDBC_VALUE_INVALID` for NULL in it */
  keyOf(row: readonly JdbcParameter[]): string {
    const { keys, columns, table } = this.target;
    let text = "";
    for (const key of keys) {
      const value = row[key]!;
      if (value === null) throw new MillraceError({ code: "JDBC_VALUE_INVALID", message: `the key column "${columns[key]!.name}" of table ${table} is NULL in ${this.shown(row)}` });
      const part = typeof value === "string" ? value : Buffer.from(value).toString("latin1");
      text += keys.length === 1 ? part : `${part.length}:${part}`;
    }
    return text;
  }

  /** A row for a message. */
  shown(row: readonly JdbcParameter[]): string {
    const parts = this.target.columns.map(({ name }, i) => {
      const value = row[i]!;
      const text = value === null ? "NULL" : typeof value === "string" ? value : `${value.length} bytes`;
      return `${name}=${text.length <= 60 ? text : `${text.slice(0, 60)}…`}`;
    });
    return `(${parts.join(", ")})`;
  }
}
