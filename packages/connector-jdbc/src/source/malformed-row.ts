import { MillraceError, OutputTag, isMillraceError } from "@millrace/core";
import type { JdbcColumn, JdbcRawRow, JdbcRawValue } from "../dialect/jdbc-type.js";

/** A row that could not be made a record, and why. Flink has no such thing: its rows fail the job. */
export interface MalformedRow {
  /** The table, as the source names it, or `undefined` for a query. */
  readonly table: string | undefined;
  /** By column, in the database's own text; bytes where it sends bytes. */
  readonly values: Readonly<Record<string, JdbcRawValue>>;
  readonly message: string;
}

/** The side output of a source with `onError: "side-output"`. */
export const MALFORMED_ROWS: OutputTag<MalformedRow> = new OutputTag<MalformedRow>("malformed-rows");

/** What becomes of rows that cannot be made records. */
export type OnMalformedRow = "fail" | "skip" | "side-output";

const MALFORMED_CODES: readonly string[] = ["JDBC_VALUE_UNREPRESENTABLE", "JDBC_ROW_MALFORMED"];

/** Whether an error is about one row, and counts as one. */
export function isAboutRow(error: unknown): boolean {
  return isMillraceError(error) && MALFORMED_CODES.includes(error.code);
}

/** The error of a row that the deserializer threw for: `JDBC_ROW_MALFORMED`. */
export function malformedRowError(what: string, cause: unknown): MillraceError {
  return new MillraceError({
    code: "JDBC_ROW_MALFORMED", message: `${what}: the deserializer does not take a row: ${(cause as Error).message}`, cause,
    hint: 'correct the row or the deserializer, or choose onError: "skip" or onError: "side-output"',
  });
}

export function malformedRow(table: string | undefined, columns: readonly JdbcColumn[], raw: JdbcRawRow, { message }: Error): MalformedRow {
  return { table, values: Object.fromEntries(columns.map(({ name }, i) => [name, raw[i] ?? null])), message };
}
