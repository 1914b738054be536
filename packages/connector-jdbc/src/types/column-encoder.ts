import { MillraceError } from "@millrace/core";
import type { JdbcDialect } from "../dialect/jdbc-dialect.js";
import type { JdbcColumn, JdbcParameter } from "../dialect/jdbc-type.js";
import { shown } from "./decoder.js";
import { encoderOf } from "./encoder.js";
import type { JdbcTypeSettings } from "./jdbc-type-options.js";

/** Makes parameters of a column's values; `null` and `undefined` are NULL. @throws `JDBC_VALUE_INVALID` naming column and value */
export function columnEncoder(dialect: JdbcDialect, table: string, column: JdbcColumn, settings: JdbcTypeSettings): (value: unknown) => JdbcParameter {
  const encode = encoderOf(column.type, settings);
  return (value) => {
    if (value === null || value === undefined) return null;
    try {
      return dialect.parameterOf(column, encode(value));
    } catch (error) {
      throw new MillraceError({
        code: "JDBC_VALUE_INVALID", message: `${shown(value)} does not fit column "${column.name}" (${column.type.name}) of table ${table}: ${(error as Error).message}`, cause: error,
        hint: "convert it before the sink, or in columns",
      });
    }
  };
}
