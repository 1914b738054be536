import { checkedBetween, checkedOneOf, duration, invalidOption } from "@millrace/core";
import type { DurationLike } from "@millrace/core";
import { connectionSettings } from "../connection/jdbc-connection-options.js";
import type { JdbcConnectionOptions, JdbcConnectionSettings } from "../connection/jdbc-connection-options.js";
import type { JdbcWriteMode } from "../dialect/jdbc-dialect.js";
import { typeSettings } from "../types/jdbc-type-options.js";
import type { JdbcTypeOptions, JdbcTypeSettings } from "../types/jdbc-type-options.js";

/** How statements are batched and tried again. Flink: JdbcExecutionOptions. */
export interface JdbcExecutionOptions {
  /** Rows of a batch. Default 5000. */
  readonly batchSize?: number;
  /** The longest that a row waits for its batch to fill, besides checkpoints. Default 0: until the next checkpoint. */
  readonly batchInterval?: DurationLike;
  /** How often a batch is tried again after a deadlock, a serialization failure or a lost connection, with growing pauses. Default 3. */
  readonly maxRetries?: number;
}

/** For `deliveryGuarantee: "exactly-once"`. Flink: JdbcExactlyOnceOptions. */
export interface JdbcExactlyOnceOptions {
  /** Begins the names of transactions. Must differ between all jobs that write to one database server, and stay the same for one job. Up to 60 letters, digits, `.`, `_`, `-`. */
  readonly transactionIdPrefix: string;
  /** Where the sink notes which transactions were committed; created when it is not there. Default `"millrace_transactions"`. */
  readonly transactionTable?: string;
  /** How long those notes are kept. Must be longer than the age of any savepoint or checkpoint that the job may go back to. Default 7 days. */
  readonly recordRetention?: DurationLike;
  /** What to do when a transaction of a complete checkpoint is gone and was not committed: its rows are lost. Default `"fail"`; `"warn"` goes on without them. */
  readonly onTransactionLost?: "fail" | "warn";
  /** How long a statement may wait for a lock, such as of a transaction that is not committed yet. Default 60 s; then the job restarts. */
  readonly lockTimeout?: DurationLike;
}

/** What a record does to its row. Flink: RowKind. `-U` (the row as it was before an update) is left out. */
export type JdbcRowKind = "+I" | "-U" | "+U" | "-D";

/** What to write where, and how safely. */
export interface JdbcSinkOptions<T> {
  readonly connection: JdbcConnectionOptions;
  /** `orders` or `shop.orders`. It must exist. */
  readonly table: string;
  /** The columns to write: fields of the record by name, or how to get each from a record. `undefined` is NULL. */
  readonly columns: readonly (keyof T & string)[] | Readonly<Record<string, (value: T) => unknown>>;
  /** The primary key or another unique key, for `"upsert"`, `"insert-ignore"` and deletes. */
  readonly keyColumns?: readonly string[];
  /** Default `"upsert"` with `keyColumns`, else `"insert"`. `"insert"` fails for rows that exist; `"insert-ignore"` leaves them as they are. */
  readonly mode?: JdbcWriteMode;
  /** Default: every record is `"+I"`. `"-D"` deletes the row of the record's key. */
  readonly rowKind?: (value: T) => JdbcRowKind;
  readonly execution?: JdbcExecutionOptions;
  /** Default `"at-least-once"`: with `"upsert"` the table is right even so, once the job has caught up. `"exactly-once"` needs `exactlyOnce`. */
  readonly deliveryGuarantee?: "at-least-once" | "exactly-once";
  readonly exactlyOnce?: JdbcExactlyOnceOptions;
  readonly types?: JdbcTypeOptions;
}

export interface ExactlyOnceSettings {
  readonly prefix: string;
  readonly table: string;
  readonly retentionMs: number;
  readonly onTransactionLost: "fail" | "warn";
  readonly lockTimeoutMs: number;
}

/** Those options, checked and with all defaults. */
export interface JdbcSinkSettings<T> {
  readonly connection: JdbcConnectionSettings;
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly get: (value: T) => unknown }[];
  readonly keyColumns: readonly string[];
  readonly mode: JdbcWriteMode;
  readonly rowKind: ((value: T) => JdbcRowKind) | undefined;
  readonly batchSize: number;
  readonly batchIntervalMs: number;
  readonly maxRetries: number;
  readonly exactlyOnce: ExactlyOnceSettings | undefined;
  readonly types: JdbcTypeSettings;
}

/** @throws `OPTION_INVALID`, `DURATION_INVALID` */
export function sinkSettings<T>(options: JdbcSinkOptions<T>): JdbcSinkSettings<T> {
  const { table, keyColumns = [], execution = {} } = options;
  if (table === "") throw invalidOption("table", "it has no name");
  const columns = columnsOf(options.columns);
  if (columns.length === 0) throw invalidOption("columns", "no column is named");
  for (const key of keyColumns) if (!columns.some(({ name }) => name === key)) throw invalidOption("keyColumns", `"${key}" is not among columns`);
  const mode = checkedOneOf("mode", options.mode ?? (keyColumns.length > 0 ? "upsert" : "insert"), ["insert", "insert-ignore", "upsert"]);
  if (keyColumns.length === 0 && mode !== "insert") throw invalidOption("keyColumns", `mode "${mode}" needs them`);
  if (keyColumns.length === 0 && options.rowKind !== undefined) throw invalidOption("keyColumns", "rowKind needs them, to know which row to delete");
  return {
    connection: connectionSettings(options.connection), table, columns, keyColumns, mode, rowKind: options.rowKind,
    batchSize: checkedBetween("execution.batchSize", execution.batchSize ?? 5000, 1, 1_000_000),
    batchIntervalMs: duration(execution.batchInterval ?? 0),
    maxRetries: checkedBetween("execution.maxRetries", execution.maxRetries ?? 3, 0, 1000),
    exactlyOnce: exactlyOnceOf(options), types: typeSettings(options.types),
  };
}

function columnsOf<T>(columns: JdbcSinkOptions<T>["columns"]): JdbcSinkSettings<T>["columns"] {
  if (!Array.isArray(columns)) return Object.entries(columns as Readonly<Record<string, (value: T) => unknown>>).map(([name, get]) => ({ name, get }));
  const twice = columns.find((name, at) => columns.indexOf(name) !== at);
  if (twice !== undefined) throw invalidOption("columns", `"${twice}" is named twice`);
  return (columns as readonly (keyof T & string)[]).map((name) => ({ name, get: (value: T) => value[name] }));
}

function exactlyOnceOf<T>(options: JdbcSinkOptions<T>): ExactlyOnceSettings | undefined {
  const guarantee = checkedOneOf("deliveryGuarantee", options.deliveryGuarantee ?? "at-least-once", ["at-least-once", "exactly-once"]);
  const given = options.exactlyOnce;
  if (guarantee === "at-least-once") {
    if (given !== undefined) throw invalidOption("exactlyOnce", 'it is for deliveryGuarantee: "exactly-once"');
    return undefined;
  }
  const prefix = given?.transactionIdPrefix ?? "";
  const option = "exactlyOnce.transactionIdPrefix";
  if (prefix === "") throw invalidOption(option, "exactly-once needs one", "choose a name that no other job writing to this server has");
  if (!/^[\w.-]{1,60}$/.test(prefix)) throw invalidOption(option, `"${prefix}" is not made of 1 to 60 letters, digits, ".", "_" and "-"`);
  return {
    prefix, table: given?.transactionTable ?? "millrace_transactions", retentionMs: duration(given?.recordRetention ?? "7 d"),
    onTransactionLost: checkedOneOf("exactlyOnce.onTransactionLost", given?.onTransactionLost ?? "fail", ["fail", "warn"]),
    lockTimeoutMs: checkedBetween("exactlyOnce.lockTimeout", duration(given?.lockTimeout ?? "60 s"), 1000, 3_600_000),
  };
}
