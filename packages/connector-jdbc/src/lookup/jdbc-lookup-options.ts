import { checkedBetween, duration, invalidOption } from "@millrace/core";
import type { DurationLike } from "@millrace/core";
import { connectionSettings } from "../connection/jdbc-connection-options.js";
import type { JdbcConnectionOptions, JdbcConnectionSettings } from "../connection/jdbc-connection-options.js";
import type { JdbcRow } from "../types/decoder.js";
import { typeSettings } from "../types/jdbc-type-options.js";
import type { JdbcTypeOptions, JdbcTypeSettings } from "../types/jdbc-type-options.js";

/** What is kept of answers. Flink: DefaultLookupCache. */
export interface JdbcLookupCacheOptions {
  /** The most rows; the least recently used go first. Default 10000. */
  readonly maxRows?: number;
  /** How long an answer counts after it was loaded. Default 0: until it is pushed out, however stale. */
  readonly expireAfterWrite?: DurationLike;
  /** Whether it is kept, too, that a key has no row. Default true. */
  readonly cacheMissingKeys?: boolean;
}

/** Which rows to look up for a record, and what to make of them. */
export interface JdbcLookupOptions<T, R> {
  readonly connection: JdbcConnectionOptions;
  readonly table: string;
  /** The columns to look for, which an index should have. */
  readonly keyColumns: readonly string[];
  /** Their values: one, or an array in the order of `keyColumns`. With `null` or `undefined` in it, no row matches, and none is asked for. */
  readonly key: (value: T) => unknown;
  /** The columns to get. Default: all. */
  readonly columns?: readonly string[];
  /** What to emit for a record and its rows: none, one or several, in no order. */
  readonly join: (value: T, rows: readonly JdbcRow[]) => readonly R[];
  /** Default: no cache. */
  readonly cache?: JdbcLookupCacheOptions;
  /** Keys that go into one statement. Default 100. Calls in flight (the capacity of `AsyncDataStream`) limit it, too. */
  readonly maxBatchSize?: number;
  /** Connections of each subtask. Default 2. */
  readonly connections?: number;
  /** How often a statement is tried again after a lost connection or a deadlock. Default 3. A server that is away is waited for besides, for `connectionWaitMs`. */
  readonly maxRetries?: number;
  readonly types?: JdbcTypeOptions;
}

/** Those options, checked and with all defaults. */
export interface JdbcLookupSettings<T, R> {
  readonly connection: JdbcConnectionSettings;
  readonly table: string;
  readonly keyColumns: readonly string[];
  readonly key: (value: T) => unknown;
  readonly columns: readonly string[];
  readonly join: (value: T, rows: readonly JdbcRow[]) => readonly R[];
  readonly cache: { readonly maxRows: number; readonly ttlMs: number; readonly cacheMissingKeys: boolean } | undefined;
  readonly maxBatchSize: number;
  readonly connections: number;
  readonly maxRetries: number;
  readonly types: JdbcTypeSettings;
}

/** @throws `OPTION_INVALID`, `DURATION_INVALID` */
export function lookupSettings<T, R>(options: JdbcLookupOptions<T, R>): JdbcLookupSettings<T, R> {
  const { table, keyColumns, key, join, columns = [], cache } = options;
  if (table === "") throw invalidOption("table", "it has no name");
  if (keyColumns.length === 0) throw invalidOption("keyColumns", "no column is named");
  return {
    connection: connectionSettings(options.connection), table, keyColumns, key, columns, join, types: typeSettings(options.types),
    cache: cache === undefined ? undefined : {
      maxRows: checkedBetween("cache.maxRows", cache.maxRows ?? 10_000, 1, 100_000_000), ttlMs: duration(cache.expireAfterWrite ?? 0), cacheMissingKeys: cache.cacheMissingKeys ?? true,
    },
    maxBatchSize: checkedBetween("maxBatchSize", options.maxBatchSize ?? 100, 1, 10_000),
    connections: checkedBetween("connections", options.connections ?? 2, 1, 100),
    maxRetries: checkedBetween("maxRetries", options.maxRetries ?? 3, 0, 1000),
  };
}
