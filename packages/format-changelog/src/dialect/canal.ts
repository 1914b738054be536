import { RowKind } from "@millrace/core";
import { at, isAddition, oldRow, rowOf, unknownType } from "./dialect.js";
import type { Change, Dialect } from "./dialect.js";

/** What a Canal message says beside its rows. Flink's names. */
export interface CanalMetadata {
  readonly database: string | undefined;
  readonly table: string | undefined;
  /** The types of the columns as numbers of JDBC. */
  readonly "sql-type": Readonly<Record<string, number>> | undefined;
  readonly "pk-names": readonly string[] | undefined;
  /** When Canal processed the change, in epoch milliseconds. */
  readonly "ingestion-timestamp": number | undefined;
  /** When the change was made in the database. */
  readonly "event-timestamp": number | undefined;
}

/** Canal's messages: one change of any number of rows. Schema changes hold none. */
export const canal: Dialect = {
  name: "Canal JSON",
  decode(message) {
    const { type } = message;
    if (message["isDdl"] === true || type === "CREATE") return [];
    if (type !== "INSERT" && type !== "UPDATE" && type !== "DELETE") throw unknownType("type", type, "INSERT, UPDATE, DELETE");
    const { data, old } = message;
    if (!Array.isArray(data)) throw new Error('its field "data" is no array of rows');
    const rows = data.map((row: unknown) => rowOf(row, "data"));
    if (type === "UPDATE") {
      if (!Array.isArray(old) || old.length !== rows.length) throw new Error('it is an update, and its field "old" is not as long as "data"');
      return rows.flatMap((row, i): Change[] => [{ kind: RowKind.UPDATE_BEFORE, row: oldRow(row, old[i]) }, { kind: RowKind.UPDATE_AFTER, row }]);
    }
    const kind = type === "INSERT" ? RowKind.INSERT : RowKind.DELETE;
    return rows.map((row) => ({ kind, row }));
  },
  encode: (kind, row) => ({ data: [row], type: isAddition(kind) ? "INSERT" : "DELETE" }),
  metadata: {
    database: (message) => at(message, "database"),
    table: (message) => at(message, "table"),
    "sql-type": (message) => at(message, "sqlType"),
    "pk-names": (message) => at(message, "pkNames"),
    "ingestion-timestamp": (message) => at(message, "ts"),
    "event-timestamp": (message) => at(message, "es"),
  },
};
