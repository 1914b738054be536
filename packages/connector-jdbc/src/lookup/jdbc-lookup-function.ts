import { MillraceError } from "@millrace/core";
import type { AsyncFunction, Counter, RuntimeContext } from "@millrace/core";
import { Backoff, ConnectionPool } from "../connection/connection-pool.js";
import { failureOf, jdbcError } from "../connection/jdbc-error.js";
import type { JdbcResult } from "../dialect/jdbc-dialect.js";
import type { JdbcColumn, JdbcParameter } from "../dialect/jdbc-type.js";
import { tableColumns } from "../sink/table-layout.js";
import { columnEncoder } from "../types/column-encoder.js";
import { rowDecoder } from "../types/decoder.js";
import type { JdbcRow } from "../types/decoder.js";
import { withKinds } from "../types/jdbc-type-options.js";
import type { JdbcLookupSettings } from "./jdbc-lookup-options.js";
import { KeyBatcher } from "./key-batcher.js";
import { LookupCache } from "./lookup-cache.js";

type Rows = readonly JdbcRow[];

const NO_ROWS: Rows = [];

/** Looks rows up by key for one subtask. Flink: JdbcRowDataLookupFunction. */
export class JdbcLookupFunction<T, R> implements AsyncFunction<T, R> {
  readonly #settings: JdbcLookupSettings<T, R>;
  readonly #pool: ConnectionPool;
  readonly #cache: LookupCache<Rows> | undefined;
  readonly #batcher: KeyBatcher<Rows>;
  #keyColumns: readonly JdbcColumn[] = [];
  #encoders: readonly ((value: unknown) => JdbcParameter)[] = [];
  #hits: Counter | undefined;
  #misses: Counter | undefined;
  #loads: Counter | undefined;
  #failures: Counter | undefined;
  #loadTimeMs: number = 0;

  constructor(settings: JdbcLookupSettings<T, R>) {
    this.#settings = settings;
    this.#pool = new ConnectionPool(settings.connection, settings.connections);
    const { cache } = settings;
    this.#cache = cache === undefined ? undefined : new LookupCache(cache.maxRows, cache.ttlMs, () => performance.now());
    this.#batcher = new KeyBatcher((keys) => this.#load(keys), settings.maxBatchSize, settings.connections);
  }

  async open(context: RuntimeContext): Promise<void> {
    const { table, keyColumns, types, connection } = this.#settings;
    const group = context.metrics.addGroup("cache");
    this.#hits = group.counter("hitCount");
    this.#misses = group.counter("missCount");
    this.#loads = group.counter("loadCount");
    this.#failures = group.counter("numLoadFailures");
    group.gauge("latestLoadTime", () => this.#loadTimeMs);
    group.gauge("numCachedRecords", () => this.#cache?.rows ?? 0);
    this.#keyColumns = await tableColumns(this.#pool, table, keyColumns, types);
    this.#encoders = this.#keyColumns.map((column) => columnEncoder(connection.dialect, table, column, types));
  }

  async asyncInvoke(value: T): Promise<readonly R[]> {
    const key = this.#keyOf(value);
    return this.#settings.join(value, key === undefined ? NO_ROWS : await this.#rowsOf(key));
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** `undefined` when there is NULL in it, which equals nothing. */
  #keyOf(value: T): JdbcParameter[] | undefined {
    const given = this.#settings.key(value);
    const parts: readonly unknown[] = Array.isArray(given) ? given : [given];
    if (parts.length !== this.#encoders.length) {
      throw new MillraceError({ code: "JDBC_KEY_INVALID", message: `a key has ${parts.length} values, and there are ${this.#encoders.length} key columns: ${this.#settings.keyColumns.join(", ")}`, location: { option: "key" } });
    }
    const key = parts.map((part, i) => this.#encoders[i]!(part));
    return key.includes(null) ? undefined : key;
  }

  async #rowsOf(key: readonly JdbcParameter[]): Promise<Rows> {
    const text = key.map((part) => (typeof part === "string" ? part : Buffer.from(part!).toString("latin1"))).map((part) => `${part.length}:${part}`).join("");
    const cached = this.#cache?.get(text);
    if (cached !== undefined) {
      this.#hits!.inc();
      return cached;
    }
    this.#misses!.inc();
    const rows = await this.#batcher.get(text, key);
    if (rows.length > 0 || this.#settings.cache?.cacheMissingKeys === true) this.#cache?.set(text, rows, rows.length);
    return rows;
  }

  async #load(keys: readonly (readonly JdbcParameter[])[]): Promise<readonly Rows[]> {
    const { connection: { dialect }, table, columns, types } = this.#settings;
    const { sql, parameters } = dialect.lookupQuery(table, columns, this.#keyColumns, keys);
    const beginMs = performance.now();
    try {
      const result = await this.#query(sql, parameters);
      this.#loads!.inc();
      this.#loadTimeMs = Math.round(performance.now() - beginMs);
      // The first column says which key a row is for: the database alone knows when two values are equal.
      const decode = rowDecoder(withKinds(result.columns.slice(1), types), types, `table ${table}`);
      const rows: JdbcRow[][] = keys.map(() => []);
      for (const raw of result.rows) rows[Number(raw[0])]!.push(decode(raw.slice(1)));
      return rows;
    } catch (error) {
      this.#failures!.inc();
      throw error;
    }
  }

  async #query(sql: string, parameters: readonly unknown[]): Promise<JdbcResult> {
    const { connection: settings, maxRetries, table } = this.#settings;
    const what = `looking up rows of table ${table}`;
    const backoff = new Backoff();
    for (let attempt = 0; ; attempt++) {
      const connection = await this.#pool.acquire(what);
      try {
        const result = await connection.execute(sql, parameters);
        this.#pool.release(connection);
        return result;
      } catch (error) {
        this.#pool.destroy(connection);
        const kind = failureOf(settings, error)?.kind;
        if ((kind !== "connection" && kind !== "transient") || attempt >= maxRetries) throw jdbcError(settings, what, error);
        await backoff.pause();
      }
    }
  }
}
