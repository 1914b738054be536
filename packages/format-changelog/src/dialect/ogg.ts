import { RowKind } from "@millrace/core";
import { at, isAddition, rowOf, unknownType } from "./dialect.js";
import type { Dialect, JsonRow } from "./dialect.js";

/** What a message of Oracle GoldenGate says beside its row. Flink's names. */
export interface OggMetadata {
  /** With its schema: `"SHOP.ORDERS"`. */
  readonly table: string | undefined;
  readonly "primary-keys": readonly string[] | undefined;
  /** When GoldenGate processed the change, as text: `"2026-01-31T10:00:00.123456"`. */
  readonly "ingestion-timestamp": string | undefined;
  /** When the change was made in the database, as text. */
  readonly "event-timestamp": string | undefined;
}

/** Messages of Oracle GoldenGate's handler for JSON: one row each. */
export const ogg: Dialect = {
  name: "OGG JSON",
  decode(message) {
    const type = message["op_type"];
    switch (type) {
      case "I": return [{ kind: RowKind.INSERT, row: rowOf(message["after"], "after") }];
      case "U": return [{ kind: RowKind.UPDATE_BEFORE, row: before(message, "an update") }, { kind: RowKind.UPDATE_AFTER, row: rowOf(message["after"], "after") }];
      case "D": return [{ kind: RowKind.DELETE, row: before(message, "a deletion") }];
      // A truncation.
      case "T": return [];
      default: throw unknownType("op_type", type, "I, U, D");
    }
  },
  encode: (kind, row) => (isAddition(kind) ? { before: null, after: row, op_type: "I" } : { before: row, after: null, op_type: "D" }),
  metadata: {
    table: (message) => at(message, "table"),
    "primary-keys": (message) => at(message, "primary_keys"),
    "ingestion-timestamp": (message) => at(message, "current_ts"),
    "event-timestamp": (message) => at(message, "op_ts"),
  },
};

function before(message: JsonRow, what: string): JsonRow {
  if (message["before"] === null || message["before"] === undefined) throw new Error(`it is ${what} without the row's old content ("before"); the handler must write before-images, and the database log all columns`);
  return rowOf(message["before"], "before");
}
