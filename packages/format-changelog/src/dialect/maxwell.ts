import { RowKind } from "@millrace/core";
import { at, isAddition, oldRow, rowOf, unknownType } from "./dialect.js";
import type { Dialect } from "./dialect.js";

/** What a Maxwell message says beside its row. Flink's names. */
export interface MaxwellMetadata {
  readonly database: string | undefined;
  readonly table: string | undefined;
  /** When Maxwell is configured to write them. */
  readonly "primary-key-columns": readonly string[] | undefined;
  /** When the change was made, in epoch seconds as Maxwell writes it. */
  readonly "ingestion-timestamp": number | undefined;
}

/** Maxwell's messages: one row each. Those of a bootstrap are insertions; its start and end, and schema changes, hold no row. */
export const maxwell: Dialect = {
  name: "Maxwell JSON",
  decode(message) {
    const { type } = message;
    switch (type) {
      case "insert": case "bootstrap-insert": return [{ kind: RowKind.INSERT, row: rowOf(message["data"], "data") }];
      case "update": {
        const row = rowOf(message["data"], "data");
        return [{ kind: RowKind.UPDATE_BEFORE, row: oldRow(row, message["old"]) }, { kind: RowKind.UPDATE_AFTER, row }];
      }
      case "delete": return [{ kind: RowKind.DELETE, row: rowOf(message["data"], "data") }];
      case "bootstrap-start": case "bootstrap-complete": return [];
      default:
        if (typeof type === "string" && /^(table|database)-/.test(type)) return [];
        throw unknownType("type", type, "insert, update, delete");
    }
  },
  encode: (kind, row) => ({ data: row, type: isAddition(kind) ? "insert" : "delete" }),
  metadata: {
    database: (message) => at(message, "database"),
    table: (message) => at(message, "table"),
    "primary-key-columns": (message) => at(message, "primary_key_columns"),
    "ingestion-timestamp": (message) => at(message, "ts"),
  },
};
