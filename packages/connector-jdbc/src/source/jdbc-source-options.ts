import { checkedBetween, checkedOneOf, invalidOption } from "@millrace/core";
import { connectionSettings } from "../connection/jdbc-connection-options.js";
import type { JdbcConnectionOptions, JdbcConnectionSettings } from "../connection/jdbc-connection-options.js";
import type { JdbcRow } from "../types/decoder.js";
import { typeSettings } from "../types/jdbc-type-options.js";
import type { JdbcTypeOptions, JdbcTypeSettings } from "../types/jdbc-type-options.js";
import type { OnMalformedRow } from "./malformed-row.js";
import { JdbcGenericParameterValuesProvider } from "./parameter-values.js";
import type { JdbcParameterValuesProvider } from "./parameter-values.js";

/** How a table is cut into splits: ranges of a column that is a number, a date or a time stamp. Flink: `scan.partition.*`. */
export interface JdbcPartition {
  readonly column: string;
  /** How many. Either this or `splitSize`. */
  readonly splits?: number;
  /** How wide the range of each is: in units, days for dates, and milliseconds for time stamps. */
  readonly splitSize?: number;
  /** The range to read, both ends included: rows outside are not read. Default: all rows; then the database is asked for the bounds, and rows with NULL are a split. */
  readonly lower?: unknown;
  readonly upper?: unknown;
}

/** What to read. Exactly one of `table` and `query`. */
export interface JdbcSourceOptions<T> {
  readonly connection: JdbcConnectionOptions;
  /** `orders` or `shop.orders`. */
  readonly table?: string;
  /** Of `table`. Default: all. */
  readonly columns?: readonly string[];
  /** A condition on rows of `table`, in SQL. */
  readonly filter?: string;
  readonly partition?: JdbcPartition;
  /** A query, with the placeholders of its database (`$1`, `?`) where `parameters` go. */
  readonly query?: string;
  /** Each set is a split. Default: one without any. */
  readonly parameters?: JdbcParameterValuesProvider | readonly (readonly unknown[])[];
  /**
   * A column of the result that is unique and never NULL. Rows are read in its order then, and a checkpoint holds the last key: a failed job goes on behind it.
   * Without one a checkpoint holds whole splits alone, each read into memory and emitted at once: keep them small.
   */
  readonly keyColumn?: string;
  /** Default `"exactly-once"`. `"at-least-once"` without `keyColumn` emits rows as they come, and those of a split again when it is read again. */
  readonly deliveryGuarantee?: "exactly-once" | "at-least-once";
  /** Rows per round trip. Default 1000. */
  readonly fetchSize?: number;
  /** Makes a record of a row; `undefined` leaves it out. Default: the row. */
  readonly deserializer?: (row: JdbcRow) => T | undefined;
  /**
   * What becomes of a row with a value that has no exact form in TypeScript, or that `deserializer` throws for. Default `"fail"`; `"skip"` counts it in
   * `numRecordsInErrors` and leaves it out, `"side-output"` also sends it to {@link MALFORMED_ROWS}.
   */
  readonly onError?: OnMalformedRow;
  readonly types?: JdbcTypeOptions;
}

export interface PartitionSettings {
  readonly column: string;
  readonly splits: number | undefined;
  readonly splitSize: number | undefined;
  readonly bounds: { readonly lower: unknown; readonly upper: unknown } | undefined;
}

/** Those options, checked and with all defaults. */
export interface JdbcSourceSettings<T> {
  readonly connection: JdbcConnectionSettings;
  readonly table: string | undefined;
  readonly columns: readonly string[];
  readonly filter: string | undefined;
  readonly partition: PartitionSettings | undefined;
  readonly query: string | undefined;
  readonly parameters: JdbcParameterValuesProvider;
  readonly keyColumn: string | undefined;
  /** By key, in whole splits, or as rows come. */
  readonly reading: "by-key" | "whole-splits" | "streamed";
  readonly fetchSize: number;
  readonly deserializer: ((row: JdbcRow) => T | undefined) | undefined;
  readonly onError: OnMalformedRow;
  readonly types: JdbcTypeSettings;
  /** For messages. */
  readonly what: string;
}

/** @throws `OPTION_INVALID` */
export function sourceSettings<T>(options: JdbcSourceOptions<T>): JdbcSourceSettings<T> {
  const { table, query, columns = [], filter, keyColumn, parameters } = options;
  if ((table === undefined) === (query === undefined)) throw invalidOption("table", "exactly one of table and query says what to read");
  if (table === "" || query === "") throw invalidOption(table === "" ? "table" : "query", "it is empty");
  if (query !== undefined) {
    for (const [option, value] of Object.entries({ columns: options.columns, filter, partition: options.partition })) if (value !== undefined) throw invalidOption(option, "it is for table; a query says that itself", "use parameters to cut a query into splits");
  } else if (parameters !== undefined) throw invalidOption("parameters", "they are for query", "use partition to cut a table into splits");
  if (keyColumn !== undefined && columns.length > 0 && !columns.includes(keyColumn)) throw invalidOption("keyColumn", `"${keyColumn}" is not among columns`);
  const guarantee = checkedOneOf("deliveryGuarantee", options.deliveryGuarantee ?? "exactly-once", ["exactly-once", "at-least-once"]);
  return {
    connection: connectionSettings(options.connection), table, columns, filter, query, keyColumn,
    partition: options.partition === undefined ? undefined : partitionSettings(options.partition),
    parameters: parameters === undefined ? new JdbcGenericParameterValuesProvider([[]]) : "getParameterValues" in parameters ? parameters : new JdbcGenericParameterValuesProvider(parameters),
    reading: keyColumn !== undefined ? "by-key" : guarantee === "exactly-once" ? "whole-splits" : "streamed",
    fetchSize: checkedBetween("fetchSize", options.fetchSize ?? 1000, 1, 1_000_000),
    deserializer: options.deserializer, onError: checkedOneOf("onError", options.onError ?? "fail", ["fail", "skip", "side-output"]), types: typeSettings(options.types), what: table === undefined ? "the query" : `table ${table}`,
  };
}

function partitionSettings({ column, splits, splitSize, lower, upper }: JdbcPartition): PartitionSettings {
  if ((splits === undefined) === (splitSize === undefined)) throw invalidOption("partition.splits", "exactly one of splits and splitSize says how to cut");
  if (splits !== undefined) checkedBetween("partition.splits", splits, 1, 1_000_000);
  if (splitSize !== undefined) checkedBetween("partition.splitSize", splitSize, 1, Number.MAX_SAFE_INTEGER);
  if ((lower === undefined) !== (upper === undefined)) throw invalidOption("partition.lower", "lower and upper come together");
  return { column, splits, splitSize, bounds: lower === undefined ? undefined : { lower, upper } };
}
