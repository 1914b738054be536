import type { JdbcColumn, JdbcParameter, JdbcRawRow } from "./jdbc-type.js";
import type { JdbcTarget } from "../connection/jdbc-connection-options.js";

/**
 * What a failure means.
 *
 * - `connection`: there is none (any more); what was under way may or may not have happened.
 * - `transient`: the transaction was given up (deadlock, serialization, lock timeout) and can be tried again.
 * - `row`: a row is refused: a value that does not fit, a constraint.
 * - `too-many-prepared`: there is no room for another prepared transaction.
 * - `authentication`: the user, the password or the database are refused.
 * - `timeout`: a statement took longer than `statementTimeoutMs`.
 * - `statement`: all else; trying again does not help.
 */
export type JdbcFailureKind = "connection" | "transient" | "row" | "too-many-prepared" | "authentication" | "timeout" | "statement";

export interface JdbcFailure {
  readonly kind: JdbcFailureKind;
  /** SQLSTATE or error number. */
  readonly state: string;
  /** What the server says, with its detail. */
  readonly message: string;
}

export interface JdbcResult {
  readonly columns: readonly JdbcColumn[];
  readonly rows: readonly JdbcRawRow[];
  readonly affectedRows: number;
}

/** The rows of a query, in pieces. Its transaction ends with `close`. */
export interface JdbcCursor {
  readonly columns: readonly JdbcColumn[];
  /** The next rows; none at the end. */
  next(): Promise<readonly JdbcRawRow[]>;
  close(): Promise<void>;
}

/** How rows get into a table. `insert` fails on rows that exist, `insert-ignore` leaves those as they are, `upsert` overwrites them. */
export type JdbcWriteMode = "insert" | "insert-ignore" | "upsert";

export interface JdbcWriteTarget {
  /** May be qualified, `schema.table`; each part is quoted by the dialect. */
  readonly table: string;
  readonly columns: readonly JdbcColumn[];
  /** Positions of the key in `columns`. */
  readonly keys: readonly number[];
  readonly mode: JdbcWriteMode;
}

/** Statements that write many rows of one table at a time. Values are in the order of the target's columns; for `delete`, of its keys. */
export interface JdbcTableWriter {
  write(rows: readonly (readonly JdbcParameter[])[]): Promise<void>;
  delete(keys: readonly (readonly JdbcParameter[])[]): Promise<void>;
}

/** How many prepared transactions the server takes: `undefined` when it does not say or has no limit. */
export interface PreparedTransactionLimit {
  readonly maximum: number | undefined;
  readonly inUse: number;
}

/** One connection. Calls come one at a time; errors are the client library's, for {@link JdbcDialect.failureOf}. */
export interface JdbcConnection {
  /** It cannot be used any more. */
  readonly isBroken: boolean;
  /** @param parameters by the dialect's placeholders */
  execute(sql: string, parameters?: readonly unknown[]): Promise<JdbcResult>;
  /** Runs a query in a read-only transaction of its own that sees one state of the database. */
  openCursor(sql: string, parameters: readonly unknown[], fetchSize: number): Promise<JdbcCursor>;
  /** The columns of a table or view in their order; none when there is no such table. */
  columnsOf(table: string): Promise<readonly JdbcColumn[]>;
  tableWriter(target: JdbcWriteTarget): JdbcTableWriter;
  /** @param name of a transaction that will be prepared; without, it will be committed */
  begin(name?: string): Promise<void>;
  /** Makes this session one that `endSession` finds. @param name up to 60 letters, digits and `_` */
  nameSession(name: string): Promise<void>;
  /** Ends the user's sessions of that name, wherever their clients are, and resolves when they are gone: what they have not prepared is rolled back by then. Does nothing when there is none. */
  endSession(name: string): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /**
   * Prepares the transaction begun with that name, which outlives this connection then.
   * @returns whether the connection has kept it: it can do nothing else then but commit it, and nobody else can commit it without ending this session
   */
  prepare(name: string): Promise<boolean>;
  /** Resolves with false when there is no prepared transaction of that name which this connection could commit now. Whoever has kept it loses its session. */
  commitPrepared(name: string): Promise<boolean>;
  /** Does nothing when there is none of that name. Whoever has kept it loses its session. */
  rollbackPrepared(name: string): Promise<void>;
  /** The names of all prepared transactions of this database that begin so. */
  listPrepared(prefix: string): Promise<readonly string[]>;
  preparedTransactionLimit(): Promise<PreparedTransactionLimit>;
  close(): Promise<void>;
}

/** One kind of database: its client library, its SQL, its errors, its types. */
export interface JdbcDialect {
  /** "PostgreSQL" */
  readonly name: string;
  /** Schemes of its URLs, without the colon. */
  readonly schemes: readonly string[];
  readonly defaultPort: number;
  /** What to do when prepared transactions are switched off: the hint of the error. */
  readonly twoPhaseHint: string;
  connect(target: JdbcTarget): Promise<JdbcConnection>;
  failureOf(error: unknown): JdbcFailure;
  /** Quotes the name of a column. */
  quote(name: string): string;
  /** Quotes the parts of a table's name, qualified or not. */
  quoteTable(name: string): string;
  /** The placeholder of a statement's parameter, counted from 1. */
  placeholder(position: number): string;
  /** Turns the neutral text of a value (see `encoderOf`) into what this database reads. */
  parameterOf(column: JdbcColumn, text: string | Uint8Array): JdbcParameter;
  /** Limits how long a connection's statements wait for locks. */
  lockTimeout(ms: number): string;
  /** Creates the table of transaction records if it is not there. */
  createTransactionTable(table: string): string;
  /** Counts an epoch up under `name` and returns it. */
  nextEpoch(connection: JdbcConnection, table: string, name: string): Promise<number>;
  /**
   * A query for the rows of several keys, the position of the key first: one row per match. @param keys neutral texts by key column
   */
  lookupQuery(table: string, columns: readonly string[], keyColumns: readonly JdbcColumn[], keys: readonly (readonly JdbcParameter[])[]): { readonly sql: string; readonly parameters: readonly unknown[] };
}
