import { functionFactory } from "@millrace/core";
import type { AsyncFunction, FunctionFactory } from "@millrace/core";
import { JdbcLookupFunction } from "./jdbc-lookup-function.js";
import { lookupSettings } from "./jdbc-lookup-options.js";
import type { JdbcLookupOptions } from "./jdbc-lookup-options.js";

/**
 * Enriches records with rows of a table, for `AsyncDataStream`: many keys in one statement, answers cached if you like.
 *
 * Errors: `JDBC_TABLE_NOT_FOUND`, `JDBC_COLUMN_NOT_FOUND`, `JDBC_KEY_INVALID`, `JDBC_VALUE_INVALID`, `JDBC_VALUE_UNREPRESENTABLE`, `JDBC_UNREACHABLE`,
 * `JDBC_AUTHENTICATION_FAILED`, `JDBC_STATEMENT_FAILED`.
 *
 * ```ts
 * const enriched = AsyncDataStream.unorderedWait(orders, JdbcLookup.of<Order, Enriched>({
 *   connection, table: "customers", keyColumns: ["id"], key: (order) => order.customer,
 *   join: (order, [customer]) => customer === undefined ? [] : [{ ...order, name: customer.name as string }],
 *   cache: { maxRows: 10_000, expireAfterWrite: "10 min" },
 * }), "30 s", 200);
 * ```
 */
export const JdbcLookup = {
  /** @throws `OPTION_INVALID`, `DURATION_INVALID` */
  of<T, R>(options: JdbcLookupOptions<T, R>): FunctionFactory<AsyncFunction<T, R>> {
    const settings = lookupSettings(options);
    return functionFactory<AsyncFunction<T, R>>(() => new JdbcLookupFunction(settings));
  },
} as const;
