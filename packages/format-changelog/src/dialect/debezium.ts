import { RowKind } from "@millrace/core";
import { at, isAddition, rowOf, unknownType } from "./dialect.js";
import type { Change, Dialect, JsonRow } from "./dialect.js";

/** What a Debezium message says beside its rows. Flink's names. */
export interface DebeziumMetadata {
  /** The message's own description of its fields, as JSON; when it has one. */
  readonly schema: string | undefined;
  /** When the connector processed the change, in epoch milliseconds. */
  readonly "ingestion-timestamp": number | undefined;
  /** When the change was made in the database. */
  readonly "source.timestamp": number | undefined;
  readonly "source.database": string | undefined;
  readonly "source.schema": string | undefined;
  readonly "source.table": string | undefined;
  readonly "source.properties": Readonly<Record<string, unknown>> | undefined;
}

const BEFORE_HINT = 'for PostgreSQL, the table needs REPLICA IDENTITY FULL; for MongoDB and others, before-images must be switched on';

/** Debezium's envelope, with the description of its fields around it (`schemas.enable`) or without. */
export const debezium: Dialect = {
  name: "Debezium JSON",
  decode(message) {
    const payload = payloadOf(message);
    const { op } = payload;
    switch (op) {
      case "c": case "r": return [{ kind: RowKind.INSERT, row: rowOf(payload["after"], "after") }];
      case "u": return [{ kind: RowKind.UPDATE_BEFORE, row: before(payload, "an update") }, { kind: RowKind.UPDATE_AFTER, row: rowOf(payload["after"], "after") }];
      case "d": return [{ kind: RowKind.DELETE, row: before(payload, "a deletion") }];
      // A truncation and a message of the connector itself say nothing of single rows.
      case "t": case "m": return [] as Change[];
      default: throw unknownType("op", op, "c, r, u, d");
    }
  },
  encode: (kind, row) => (isAddition(kind) ? { before: null, after: row, op: "c" } : { before: row, after: null, op: "d" }),
  metadata: {
    schema: (message) => (payloadOf(message) === message || message["schema"] === null ? undefined : JSON.stringify(message["schema"])),
    "ingestion-timestamp": (message) => at(payloadOf(message), "ts_ms"),
    "source.timestamp": (message) => at(payloadOf(message), "source", "ts_ms"),
    "source.database": (message) => at(payloadOf(message), "source", "db"),
    "source.schema": (message) => at(payloadOf(message), "source", "schema"),
    "source.table": (message) => at(payloadOf(message), "source", "table"),
    "source.properties": (message) => at(payloadOf(message), "source"),
  },
};

function payloadOf(message: JsonRow): JsonRow {
  return "payload" in message && !("op" in message) ? rowOf(message["payload"], "payload") : message;
}

function before(payload: JsonRow, what: string): JsonRow {
  if (payload["before"] === null || payload["before"] === undefined) throw new Error(`it is ${what} without the row's old content ("before"); ${BEFORE_HINT}`);
  return rowOf(payload["before"], "before");
}
