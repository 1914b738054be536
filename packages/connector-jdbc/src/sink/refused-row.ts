import { MillraceError } from "@millrace/core";
import type { ConnectionPool } from "../connection/connection-pool.js";
import { failureOf } from "../connection/jdbc-error.js";
import { writeChanges } from "./change-batch.js";
import type { RowChange } from "./change-batch.js";
import type { TableLayout } from "./table-layout.js";

/** Finds out which row of a batch the database refuses, by writing halves in transactions that are rolled back, and says so. */
export async function refusedRow(pool: ConnectionPool, layout: TableLayout<never>, changes: readonly RowChange[], error: unknown): Promise<MillraceError> {
  const { dialect } = pool.settings;
  const { table } = layout.target;
  let found: { readonly change: RowChange; readonly error: unknown } | undefined;
  try {
    found = await pool.retrying(`finding the row that table ${table} refuses`, async (connection) => {
      await connection.begin();
      try {
        const writer = connection.tableWriter(layout.target);
        const failed = async (part: readonly RowChange[]): Promise<unknown> => {
          await connection.execute("SAVEPOINT millrace");
          try {
            await writeChanges(writer, layout, part);
            return undefined;
          } catch (partError) {
            if (failureOf(pool.settings, partError)?.kind !== "row") throw partError;
            await connection.execute("ROLLBACK TO SAVEPOINT millrace");
            return partError;
          }
        };
        return await bisect(changes, failed);
      } finally {
        if (!connection.isBroken) await connection.rollback();
      }
    });
  } catch {
    // Then the first error has to do.
  }
  const { state, message } = dialect.failureOf(found?.error ?? error);
  const what = found === undefined ? `a row of ${changes.length}` : found.change.isDelete ? `the deletion of ${layout.shown(found.change.row)}` : `the row ${layout.shown(found.change.row)}`;
  return new MillraceError({ code: "JDBC_ROW_REFUSED", message: `table ${table} refuses ${what}: ${state}: ${message}`, cause: error, hint: "correct the row or the table; no retry mends it" });
}

/** Halves the changes until one is left that fails; those before it stay written. */
async function bisect(changes: readonly RowChange[], failed: (part: readonly RowChange[]) => Promise<unknown>): Promise<{ change: RowChange; error: unknown } | undefined> {
  const error = await failed(changes);
  if (error === undefined) return undefined;
  if (changes.length === 1) return { change: changes[0]!, error };
  const middle = changes.length >> 1;
  return (await bisect(changes.slice(0, middle), failed)) ?? bisect(changes.slice(middle), failed);
}
