import type { Boundedness, Source, SourceReader, SourceReaderContext, SplitEnumerator, SplitEnumeratorContext } from "@millrace/core";
import type { JdbcRow } from "../types/decoder.js";
import { JdbcEnumerator } from "./jdbc-enumerator.js";
import { sourceSettings } from "./jdbc-source-options.js";
import type { JdbcSourceOptions, JdbcSourceSettings } from "./jdbc-source-options.js";
import { JdbcSourceReader } from "./jdbc-source-reader.js";
import { splitCodec } from "./jdbc-split.js";
import type { JdbcEnumeratorState, JdbcSplit } from "./jdbc-split.js";

/**
 * Reads a table or a query once, in parallel splits. Each split sees one state of the database; different splits may see different ones.
 *
 * Exactly once: with `keyColumn` a checkpoint holds the last key of each split, without one it holds whole splits. A server that is away is waited for.
 * Errors: `JDBC_TABLE_NOT_FOUND`, `JDBC_COLUMN_NOT_FOUND`, `JDBC_COLUMN_AMBIGUOUS`, `JDBC_VALUE_UNREPRESENTABLE`, `JDBC_ROW_MALFORMED`, `JDBC_KEY_INVALID`,
 * `JDBC_STATEMENT_FAILED`, `JDBC_UNREACHABLE`, `JDBC_AUTHENTICATION_FAILED`. Flink: JdbcSource.
 *
 * ```ts
 * const orders = JdbcSource.of<Order>({
 *   connection: { dialect: postgresDialect, url: "postgres://localhost/shop", username: "job", password },
 *   table: "orders", partition: { column: "id", splits: 8 }, keyColumn: "id",
 * });
 * ```
 */
export class JdbcSource<T = JdbcRow> implements Source<T, JdbcSplit, JdbcEnumeratorState> {
  readonly boundedness: Boundedness = "bounded";
  readonly description: string;
  readonly splitCodec = splitCodec;
  readonly enumeratorCodec = splitCodec;
  readonly #settings: JdbcSourceSettings<T>;

  private constructor(settings: JdbcSourceSettings<T>) {
    this.#settings = settings;
    this.description = `${settings.connection.dialect.name} ${settings.table ?? "query"}`;
  }

  /** @throws `OPTION_INVALID` */
  static of<T = JdbcRow>(options: JdbcSourceOptions<T>): JdbcSource<T> {
    return new JdbcSource(sourceSettings(options));
  }

  createEnumerator(context: SplitEnumeratorContext<JdbcSplit>, restored: JdbcEnumeratorState | undefined): SplitEnumerator<JdbcSplit, JdbcEnumeratorState> {
    return new JdbcEnumerator(context, this.#settings as JdbcSourceSettings<never>, restored);
  }

  createReader(context: SourceReaderContext): SourceReader<T, JdbcSplit> {
    return new JdbcSourceReader(context, this.#settings);
  }
}
