import { MillraceError } from "@millrace/core";
import { StatementTimeout, answerWithin, equalsByText } from "@millrace/connector-jdbc";
import type { JdbcColumn, JdbcConnection, JdbcCursor, JdbcRawRow, JdbcResult, JdbcTableWriter, JdbcTarget, JdbcWriteTarget, PreparedTransactionLimit } from "@millrace/connector-jdbc";
import pg from "pg";
import { CopyIn } from "./copy-in.js";
import { isStatementTimeout, postgresFailure } from "./postgres-failure.js";
import { literal, quoteTable } from "./postgres-names.js";
import { PostgresTableWriter } from "./postgres-table-writer.js";
import { isExactText, isKnownType, typeOf, type TypeRow } from "./postgres-types.js";

/** So that texts of values mean one thing alone. */
const SESSION = "SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601'; SET timezone = 'UTC'; SET bytea_output = 'hex'; SET extra_float_digits = 3; SET standard_conforming_strings = on";
/** So that the server gives up connections whose client is gone without a word, and what they hold. */
const KEEP_ALIVE = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";
const KEEP_ALIVE_DELAY_MS = 10_000;
const asText = (value: unknown): unknown => value;
const CLOSE_LIMIT_MS = 1000;
/** A session that is ended may have much to roll back. */
const GONE_LIMIT_MS = 60_000;
const GONE_POLL_MS = 5;
const UNDEFINED_OBJECT = "42704";
const NOT_IN_PREREQUISITE_STATE = "55000";

/** A connection of `pg`, which gives all values as text. */
export class PostgresConnection implements JdbcConnection {
  readonly #client: pg.Client;
  readonly #statementTimeoutMs: number;
  readonly #types = new Map<number, TypeRow>();
  #isBroken: boolean = false;
  #name: string | undefined;

  private constructor(client: pg.Client, statementTimeoutMs: number) {
    this.#client = client;
    this.#statementTimeoutMs = statementTimeoutMs;
    for (const event of ["error", "end"] as const) {
      client.on(event, () => {
        this.#isBroken = true;
      });
    }
  }

  static async open(target: JdbcTarget): Promise<PostgresConnection> {
    const { host, port, database, username, password, tls, connectTimeoutMs, statementTimeoutMs, initialStatements } = target;
    const client = new pg.Client({
      host, port, database, user: username, ...(password === undefined ? {} : { password: password.reveal() }), ssl: tls ?? false, connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true, keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS, application_name: "millrace", types: { getTypeParser: () => asText as never },
    });
    const connection = new PostgresConnection(client, statementTimeoutMs);
    try {
      await client.connect();
      for (const statement of [`${SESSION}; ${KEEP_ALIVE}; SET statement_timeout = ${statementTimeoutMs}`, ...initialStatements]) await connection.#answer(statement, client.query(statement));
      return connection;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  async execute(sql: string, parameters: readonly unknown[] = []): Promise<JdbcResult> {
    const { fields, rows, rowCount } = await this.#query(sql, parameters);
    return { columns: fields.length === 0 ? [] : await this.#columnsOf(fields), rows, affectedRows: rowCount ?? 0 };
  }

  async openCursor(sql: string, parameters: readonly unknown[], fetchSize: number): Promise<JdbcCursor> {
    await this.#query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await this.#query("SET LOCAL cursor_tuple_fraction = 1");
    await this.#query(`DECLARE millrace_cursor NO SCROLL CURSOR FOR ${sql}`, parameters);
    const fetch = `FETCH FORWARD ${fetchSize} FROM millrace_cursor`;
    const { fields, rows } = await this.#query(fetch, [], sql);
    let first: readonly JdbcRawRow[] | undefined = rows;
    let isAtEnd = rows.length < fetchSize;
    return {
      columns: await this.#columnsOf(fields),
      next: async () => {
        if (first !== undefined) {
          const fetched = first;
          first = undefined;
          return fetched;
        }
        if (isAtEnd) return [];
        const fetched = (await this.#query(fetch, [], sql)).rows;
        isAtEnd = fetched.length < fetchSize;
        return fetched;
      },
      close: async () => void (await this.#query("COMMIT")),
    };
  }

  async columnsOf(table: string): Promise<readonly JdbcColumn[]> {
    const { rows } = await this.#query(
      "SELECT attname, atttypid::int8, atttypmod, attnotnull, attcollation::int8 FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum", [quoteTable(table)]);
    await this.#loadTypes(rows.map(([, oid]) => Number(oid)));
    return rows.map(([name, oid, modifier, notNull, collation]) => {
      const type = typeOf(Number(oid), Number(modifier), this.#types);
      return { name: String(name), type: { ...type, equalsByText: equalsByText(type) || isExactText(Number(oid), Number(modifier), Number(collation)) }, isNullable: notNull !== "t" };
    });
  }

  tableWriter(target: JdbcWriteTarget): JdbcTableWriter {
    return new PostgresTableWriter({ run: (sql, parameters) => this.#query(sql, parameters), copy: (sql, data) => this.#copy(sql, data) }, target);
  }

  async begin(): Promise<void> {
    await this.#query("BEGIN");
  }

  async nameSession(name: string): Promise<void> {
    if (this.#name === name) return;
    await this.#query(`SET application_name = ${literal(name)}`);
    this.#name = name;
  }

  async endSession(name: string): Promise<void> {
    // Until none is listed: one that is just about to prepare does so or does not, and its locks are free.
    for (const limitMs = Date.now() + GONE_LIMIT_MS; ; ) {
      const { rows } = await this.#query("SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE application_name = $1 AND usename = current_user AND pid <> pg_catalog.pg_backend_pid()", [name]);
      if (rows.length === 0) return;
      if (Date.now() > limitMs) throw new StatementTimeout("pg_terminate_backend", GONE_LIMIT_MS);
      await new Promise((resolve) => setTimeout(resolve, GONE_POLL_MS));
    }
  }

  commit(): Promise<void> {
    return this.#end("COMMIT", "COMMIT");
  }

  async rollback(): Promise<void> {
    await this.#query("ROLLBACK");
  }

  async prepare(name: string): Promise<boolean> {
    await this.#end(`PREPARE TRANSACTION ${literal(name)}`, "PREPARE");
    return false;
  }

  async commitPrepared(name: string): Promise<boolean> {
    try {
      await this.#query(`COMMIT PREPARED ${literal(name)}`);
      return true;
    } catch (error) {
      // There is none, or another connection is just about to end it.
      if ([UNDEFINED_OBJECT, NOT_IN_PREREQUISITE_STATE].includes(postgresFailure(error).state)) return false;
      throw error;
    }
  }

  async rollbackPrepared(name: string): Promise<void> {
    try {
      await this.#query(`ROLLBACK PREPARED ${literal(name)}`);
    } catch (error) {
      if (postgresFailure(error).state !== UNDEFINED_OBJECT) throw error;
    }
  }

  async listPrepared(prefix: string): Promise<readonly string[]> {
    const { rows } = await this.#query("SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database() AND pg_catalog.starts_with(gid, $1)", [prefix]);
    return rows.map(([name]) => String(name));
  }

  async preparedTransactionLimit(): Promise<PreparedTransactionLimit> {
    const { rows: [row] } = await this.#query("SELECT pg_catalog.current_setting('max_prepared_transactions'), (SELECT count(*) FROM pg_catalog.pg_prepared_xacts)");
    return { maximum: Number(row![0]), inUse: Number(row![1]) };
  }

  async close(): Promise<void> {
    this.#isBroken = true;
    // A server that hangs does not answer the farewell.
    const timer = setTimeout(() => this.#drop(), CLOSE_LIMIT_MS);
    try {
      await this.#client.end();
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param shown in the message of a timeout: what the user wrote */
  async #query(text: string, values: readonly unknown[] = [], shown: string = text): Promise<pg.QueryArrayResult<any[]>> {
    try {
      return await this.#answer(shown, this.#client.query<any[]>({ text, values: values.map(parameterText), rowMode: "array" }));
    } catch (error) {
      throw this.#noted(error);
    }
  }

  async #copy(sql: string, data: Buffer): Promise<void> {
    const copy = new CopyIn(sql, data);
    this.#client.query(copy);
    try {
      await this.#answer(sql, copy.done);
    } catch (error) {
      throw this.#noted(error);
    }
  }

  async #answer<R>(statement: string, answer: Promise<R>): Promise<R> {
    try {
      return await answerWithin(this.#statementTimeoutMs, statement, answer, () => this.#drop());
    } catch (error) {
      throw isStatementTimeout(error) ? new StatementTimeout(statement, this.#statementTimeoutMs, error) : error;
    }
  }

  /** Without a farewell, for which a server that hangs has no ear. */
  #drop(): void {
    this.#isBroken = true;
    (this.#client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }).connection.stream.destroy();
  }

  #noted(error: unknown): unknown {
    if (postgresFailure(error).kind === "connection") this.#isBroken = true;
    return error;
  }

  /** A transaction that has failed is rolled back by either command, which says so in its tag alone. */
  async #end(sql: string, tag: string): Promise<void> {
    const { command } = await this.#query(sql);
    if (command !== tag) throw new MillraceError({ code: "JDBC_WRITE_FAILED", message: `${sql}: PostgreSQL answers ${command}: the transaction had failed before`, recovery: "restart" });
  }

  async #columnsOf(fields: readonly pg.FieldDef[]): Promise<readonly JdbcColumn[]> {
    await this.#loadTypes(fields.map(({ dataTypeID }) => dataTypeID));
    return fields.map(({ name, dataTypeID, dataTypeModifier }) => ({ name, type: typeOf(dataTypeID, dataTypeModifier, this.#types), isNullable: true }));
  }

  /** Asks for types that are not known, and those they are made of. */
  async #loadTypes(oids: readonly number[]): Promise<void> {
    let missing = [...new Set(oids)].filter((oid) => !isKnownType(oid) && !this.#types.has(oid));
    while (missing.length > 0) {
      const { rows } = await this.#query(
        "SELECT oid::int8, pg_catalog.format_type(oid, -1), typtype, CASE WHEN typcategory = 'A' AND typlen = -1 THEN typelem::int8 ELSE 0 END, typbasetype::int8, typtypmod FROM pg_catalog.pg_type WHERE oid = ANY($1::oid[])",
        [`{${missing.join(",")}}`]);
      for (const [oid, name, typtype, element, base, baseModifier] of rows) {
        this.#types.set(Number(oid), { oid: Number(oid), name: String(name), typtype: String(typtype), element: Number(element), base: Number(base), baseModifier: Number(baseModifier) });
      }
      missing = rows.flatMap(([, , , element, base]) => [Number(element), Number(base)]).filter((oid) => oid !== 0 && !isKnownType(oid) && !this.#types.has(oid));
    }
  }
}

/** A parameter of a user's query as text; what it is a text of, the server infers. */
function parameterText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")}`;
  if (Array.isArray(value)) return `{${value.map((member) => (Array.isArray(member) ? parameterText(member) : member === null || member === undefined ? "NULL" : `"${parameterText(member)!.replace(/["\\]/g, "\\$&")}"`)).join(",")}}`;
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}
