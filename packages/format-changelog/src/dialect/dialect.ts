import type { RowKind } from "@millrace/core";

/** A row as JSON has it. */
export type JsonRow = Readonly<Record<string, unknown>>;

/** One change in a message. */
export interface Change {
  readonly kind: RowKind;
  readonly row: JsonRow;
}

/** How one tool writes changes of a database as JSON. */
export interface Dialect {
  /** Named in errors, e.g. `"Debezium JSON"`. */
  readonly name: string;
  /** The changes of a message: none for what is no change of rows (schema changes). @throws Error that says what is wrong with the message */
  decode(message: JsonRow): readonly Change[];
  encode(kind: RowKind, row: unknown): unknown;
  /** By name: where a message has each piece of metadata; missing is `undefined`. */
  readonly metadata: Readonly<Record<string, (message: JsonRow) => unknown>>;
}

export function rowOf(value: unknown, field: string): JsonRow {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonRow;
  throw new Error(`its field "${field}" is ${value === undefined ? "missing" : Array.isArray(value) ? "an array" : JSON.stringify(value)}, not a row`);
}

/** A value at a path of a message; `undefined` when something on the way is missing or null. */
export function at(message: JsonRow, ...path: readonly string[]): unknown {
  let value: unknown = message;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as JsonRow)[step];
  }
  return value ?? undefined;
}

/** The row before an update, of which the message has only the changed fields. */
export function oldRow(after: JsonRow, changed: unknown): JsonRow {
  return { ...after, ...(changed === undefined || changed === null ? {} : rowOf(changed, "old")) };
}

/** What a sink can write of a change: rows are added or deleted; an update is a deletion and an insertion. */
export function isAddition(kind: RowKind): boolean {
  return kind === "+I" || kind === "+U";
}

export function unknownType(field: string, value: unknown, known: string): Error {
  return new Error(`its "${field}" is ${value === undefined ? "missing" : JSON.stringify(value)}, none of ${known}`);
}
