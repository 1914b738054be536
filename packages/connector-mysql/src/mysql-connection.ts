import { MillraceError } from "@millrace/core";
import { StatementTimeout, answerWithin } from "@millrace/connector-jdbc";
import type { JdbcColumn, JdbcConnection, JdbcCursor, JdbcRawRow, JdbcResult, JdbcTableWriter, JdbcTarget, JdbcWriteTarget, PreparedTransactionLimit } from "@millrace/connector-jdbc";
import { createConnection, type Connection } from "mysql2";
import { isStatementTimeout, mysqlFailure } from "./mysql-failure.js";
import { withParameters } from "./mysql-literals.js";
import { MysqlTableWriter } from "./mysql-table-writer.js";
import { rawOf, typeOfColumn, typeOfField, type FieldDefinition } from "./mysql-types.js";
import { XaTransactions } from "./xa-transactions.js";

/** What does not fit is an error and not a warning; texts are escaped with backslashes; time stamps are UTC; others' gaps are not locked. */
const SESSION = [
  "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'",
  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
];
const KEEP_ALIVE_DELAY_MS = 10_000;
const CLOSE_LIMIT_MS = 1000;

/** A command of `mysql2` that is read as a stream; its types do not tell all of it. */
interface StreamedCommand {
  stream(options: { readonly highWaterMark: number }): AsyncIterable<JdbcRawRow> & { destroy(error: Error): void; on(event: "error", listener: () => void): unknown };
  once(event: "fields" | "error", listener: (value: never) => void): void;
}

/** A connection of `mysql2`. Rows are read by the binary protocol: the other rounds FLOAT. */
export class MysqlConnection implements JdbcConnection {
  readonly #connection: Connection;
  readonly #statementTimeoutMs: number;
  /** Its own word for the server's limit of a statement. */
  #isMariadb: boolean = true;
  #isBroken: boolean = false;
  /** Told when the connection is lost: the library tells commands that are read as streams nothing. */
  #onLost: ((error: Error) => void) | undefined;
  #closing: Promise<void> | undefined;
  /** Those who wait for an answer. */
  readonly #waiting = new Set<(error: Error) => void>();
  readonly #xa: XaTransactions;

  private constructor(connection: Connection, statementTimeoutMs: number) {
    this.#connection = connection;
    this.#statementTimeoutMs = statementTimeoutMs;
    this.#xa = new XaTransactions({ run: (sql) => this.#run(sql), close: () => this.close() });
    for (const event of ["error", "end"] as const) {
      connection.on(event, (error?: Error) => {
        this.#isBroken = true;
        this.#onLost?.(error ?? new Error("the connection is closed"));
      });
    }
  }

  static async open(target: JdbcTarget): Promise<MysqlConnection> {
    const { host, port, database, username, password, tls, connectTimeoutMs, statementTimeoutMs, initialStatements } = target;
    if (tls !== undefined && tls.servername !== host) {
      throw new MillraceError({ code: "OPTION_INVALID", message: "connection.tls: the library mysql2 checks certificates for the host of the URL alone, and for no addresses", location: { option: "connection.tls" }, hint: "name the host as its certificate does" });
    }
    const client = createConnection({
      host, port, database, user: username, ...(password === undefined ? {} : { password: password.reveal() }), ...(tls === undefined ? {} : { ssl: { ...(tls as object), verifyIdentity: true } }), connectTimeout: connectTimeoutMs,
      charset: "utf8mb4", supportBigNumbers: true, bigNumberStrings: true, dateStrings: true, jsonStrings: true, decimalNumbers: false, rowsAsArray: true, enableKeepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS, flags: ["FOUND_ROWS"],
    });
    const connection = new MysqlConnection(client, statementTimeoutMs);
    try {
      await new Promise<void>((resolve, reject) => client.connect((error) => (error === null || error === undefined ? resolve() : reject(error))));
      const [[version]] = (await connection.#run("SELECT VERSION()")) as [[string]];
      connection.#isMariadb = /mariadb/i.test(version);
      for (const statement of [...SESSION, connection.#serverLimit(statementTimeoutMs), ...initialStatements]) await connection.#run(statement);
      const [[mode]] = (await connection.#run("SELECT @@sql_mode")) as [[string]];
      if (mode.includes("NO_BACKSLASH_ESCAPES")) {
        throw new MillraceError({ code: "OPTION_INVALID", message: "connection.initialStatements: they must not set NO_BACKSLASH_ESCAPES", location: { option: "connection.initialStatements" } });
      }
      return connection;
    } catch (error) {
      client.destroy();
      throw error;
    }
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  async execute(sql: string, parameters: readonly unknown[] = []): Promise<JdbcResult> {
    const text = withParameters(sql, parameters);
    if (!/^[\s(]*(?:SELECT|WITH)\b/i.test(text)) {
      const result = await this.#run(text);
      return { columns: [], rows: [], affectedRows: (result as { readonly affectedRows?: number }).affectedRows ?? 0 };
    }
    const { rows, fields } = await this.#answer(text, new Promise<{ rows: JdbcRawRow[]; fields: readonly FieldDefinition[] }>((resolve, reject) => {
      this.#connection.execute({ sql: text, rowsAsArray: true }, (error, result, described) =>
        error === null ? resolve({ rows: result as unknown as JdbcRawRow[], fields: described as unknown as readonly FieldDefinition[] }) : reject(this.#noted(error)));
    }));
    this.#connection.unprepare(text);
    const columns = columnsOfFields(fields);
    return { columns, rows: rows.map(rawRowsOf(columns)), affectedRows: 0 };
  }

  async openCursor(sql: string, parameters: readonly unknown[], fetchSize: number): Promise<JdbcCursor> {
    const text = withParameters(sql, parameters);
    // Rows are read as fast as they are taken: the server's limit would be one of the job, too. Each piece has the limit instead.
    await this.#run(this.#serverLimit(0));
    await this.#run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    await this.#run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    const command = this.#connection.execute({ sql: text, rowsAsArray: true }) as unknown as StreamedCommand;
    const stream = command.stream({ highWaterMark: fetchSize });
    // Whoever asks for the next rows is told.
    stream.on("error", () => undefined);
    const described = new Promise<readonly FieldDefinition[]>((resolve, reject) => {
      command.once("fields", resolve as never);
      command.once("error", reject as never);
      this.#onLost = (error) => {
        stream.destroy(error);
        reject(error);
      };
    });
    const rows = stream[Symbol.asyncIterator]();
    const columns = await this.#answer(text, described).then(columnsOfFields, (error: unknown) => {
      // The stream fails with the same error, which nobody awaits.
      void rows.next().catch(() => undefined);
      throw this.#noted(error);
    });
    const raw = rawRowsOf(columns);
    return {
      columns,
      next: async () => {
        const fetched: JdbcRawRow[] = [];
        const fetch = async (): Promise<void> => {
          while (fetched.length < fetchSize) {
            const next = await rows.next();
            if (next.done === true) break;
            fetched.push(raw(next.value));
          }
        };
        try {
          await this.#answer(text, fetch());
        } catch (error) {
          throw this.#noted(error);
        }
        return fetched;
      },
      close: async () => {
        this.#onLost = undefined;
        this.#connection.unprepare(text);
        await this.#run("COMMIT");
      },
    };
  }

  async columnsOf(table: string): Promise<readonly JdbcColumn[]> {
    const parts = table.split(".");
    const name = parts.at(-1);
    const schema = parts.length > 1 ? withParameters("?", [parts[0]]) : "DATABASE()";
    const { rows } = await this.execute(
      `SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, NUMERIC_SCALE, DATETIME_PRECISION, IS_NULLABLE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ${schema} AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`, [name]);
    const json = rows.some(([, type]) => type === "longtext") ? await this.#jsonColumns(schema, name!) : new Set<string>();
    return rows.map(([column, dataType, columnType, scale, fraction, nullable]) => ({
      name: String(column), isNullable: nullable !== "NO",
      type: typeOfColumn({
        dataType: String(dataType), columnType: String(columnType), scale: scale === null ? undefined : Number(scale), fractionDigits: fraction === null ? undefined : Number(fraction), isJson: json.has(String(column)),
      }),
    }));
  }

  tableWriter(target: JdbcWriteTarget): JdbcTableWriter {
    return new MysqlTableWriter((sql) => this.#run(sql), target);
  }

  async begin(name?: string): Promise<void> {
    if (name === undefined) await this.#run("START TRANSACTION");
    else await this.#xa.begin(name);
  }

  nameSession(name: string): Promise<void> {
    return this.#xa.nameSession(name);
  }

  endSession(name: string): Promise<void> {
    return this.#xa.endSession(name);
  }

  async commit(): Promise<void> {
    await this.#run("COMMIT");
  }

  async rollback(): Promise<void> {
    await this.#run("ROLLBACK");
  }

  prepare(name: string): Promise<boolean> {
    return this.#xa.prepare(name);
  }

  commitPrepared(name: string): Promise<boolean> {
    return this.#xa.commit(name);
  }

  rollbackPrepared(name: string): Promise<void> {
    return this.#xa.rollback(name);
  }

  listPrepared(prefix: string): Promise<readonly string[]> {
    return this.#xa.list(prefix);
  }

  /** There is none. */
  preparedTransactionLimit(): Promise<PreparedTransactionLimit> {
    return Promise.resolve({ maximum: undefined, inUse: 0 });
  }

  close(): Promise<void> {
    this.#isBroken = true;
    this.#onLost?.(new Error("the connection is closed"));
    this.#closing ??= new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#drop();
        resolve();
      }, CLOSE_LIMIT_MS);
      this.#connection.end(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    return this.#closing;
  }

  /** MariaDB's JSON is text with a condition of that name. */
  async #jsonColumns(schema: string, table: string): Promise<ReadonlySet<string>> {
    try {
      const { rows } = await this.execute(`SELECT CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ${schema} AND TABLE_NAME = ? AND LOWER(CHECK_CLAUSE) LIKE 'json\\_valid(%'`, [table]);
      return new Set(rows.map(([name]) => String(name)));
    } catch (error) {
      // MySQL has no TABLE_NAME there, and a JSON type instead.
      if (mysqlFailure(error).kind !== "statement") throw error;
      return new Set();
    }
  }

  #run(sql: string): Promise<unknown> {
    return this.#answer(sql, new Promise((resolve, reject) => {
      this.#connection.query({ sql, rowsAsArray: true }, (error, result) => (error === null ? resolve(result) : reject(this.#noted(error))));
    }));
  }

  async #answer<R>(statement: string, answer: Promise<R>): Promise<R> {
    let dropped: (error: Error) => void = () => undefined;
    const lost = new Promise<never>((_, reject) => this.#waiting.add((dropped = reject)));
    try {
      return await Promise.race([answerWithin(this.#statementTimeoutMs, statement, answer, () => this.#drop()), lost]);
    } catch (error) {
      throw isStatementTimeout(error) ? new StatementTimeout(statement, this.#statementTimeoutMs, error) : error;
    } finally {
      this.#waiting.delete(dropped);
    }
  }

  /** Without a farewell, for which a server that hangs has no ear. The library then tells nobody who waits for an answer. */
  #drop(): void {
    this.#isBroken = true;
    (this.#connection as unknown as { readonly stream: { destroy(): void } }).stream.destroy();
    const error = new Error("the connection is closed");
    this.#onLost?.(error);
    for (const reject of this.#waiting) reject(error);
  }

  /** MySQL limits statements that read alone. @param ms 0 for no limit */
  #serverLimit(ms: number): string {
    return this.#isMariadb ? `SET SESSION max_statement_time = ${ms / 1000}` : `SET SESSION max_execution_time = ${ms}`;
  }

  #noted(error: unknown): unknown {
    if (mysqlFailure(error).kind === "connection") this.#isBroken = true;
    return error;
  }
}

const columnsOfFields = (fields: readonly FieldDefinition[]): JdbcColumn[] => fields.map((field) => ({ name: field.name, type: typeOfField(field), isNullable: true }));

function rawRowsOf(columns: readonly JdbcColumn[]): (row: JdbcRawRow) => JdbcRawRow {
  if (!columns.some(({ type }) => type.kind === "bit")) return (row) => row;
  return (row) => row.map((value, i) => rawOf(value, columns[i]!.type));
}
