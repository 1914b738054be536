import { MillraceError, isMillraceError } from "@millrace/core";
import { Backoff } from "../connection/connection-pool.js";
import type { ConnectionPool } from "../connection/connection-pool.js";
import { failureOf, jdbcError } from "../connection/jdbc-error.js";
import type { JdbcConnection, JdbcCursor } from "../dialect/jdbc-dialect.js";
import type { JdbcRawRow, JdbcRawValue } from "../dialect/jdbc-type.js";
import { rowDecoder } from "../types/decoder.js";
import { withKinds } from "../types/jdbc-type-options.js";
import type { JdbcSourceSettings } from "./jdbc-source-options.js";
import type { JdbcSplit } from "./jdbc-split.js";
import { malformedRow, malformedRowError } from "./malformed-row.js";
import type { MalformedRow } from "./malformed-row.js";
import { queryOf } from "./split-query.js";

/** Rows of one piece, as records. */
export interface FetchedRows<T> {
  readonly records: T[];
  /** Rows that are none, where that does not fail the job. */
  readonly malformed: readonly MalformedRow[];
}

interface Fetched<T> extends FetchedRows<T> {
  /** The key of the last row. */
  readonly position: JdbcRawValue;
}

/** Round trips ahead of what is emitted. */
const FETCHED_AHEAD = 2;

/** One split: its rows are fetched ahead, in pieces, and emitted piece by piece. */
export class SplitReader<T> {
  readonly #settings: JdbcSourceSettings<T>;
  readonly #pool: ConnectionPool;
  readonly #wake: () => void;
  readonly #fetched: Fetched<T>[] = [];
  #split: JdbcSplit;
  /** Where fetching stands; ahead of the split's own position. */
  #fetchPosition: JdbcRawValue;
  #isOpened: boolean = false;
  #isAtEnd: boolean = false;
  #isClosed: boolean = false;
  #hasRows: boolean = false;
  #failure: { readonly error: unknown } | undefined;
  #room: (() => void) | undefined;

  constructor(split: JdbcSplit, settings: JdbcSourceSettings<T>, pool: ConnectionPool, wake: () => void) {
    this.#split = split;
    this.#fetchPosition = split.position;
    this.#settings = settings;
    this.#pool = pool;
    this.#wake = wake;
  }

  get split(): JdbcSplit {
    return this.#split;
  }

  /** All rows are in memory. */
  get isFetched(): boolean {
    return this.#isAtEnd;
  }

  /** All rows were emitted. */
  get isDone(): boolean {
    return this.#isAtEnd && this.#fetched.length === 0;
  }

  /** Begins to fetch. */
  open(): void {
    if (this.#isOpened) return;
    this.#isOpened = true;
    void this.#run().catch((error: unknown) => (this.#failure = { error })).then(this.#wake);
  }

  /** The next records; `"wait"` when they are on their way, `"end"` behind the last. What is returned counts as emitted. */
  poll(): FetchedRows<T> | "wait" | "end" {
    if (this.#failure !== undefined) throw this.#failure.error;
    const next = this.#fetched.shift();
    if (next === undefined) return this.#isAtEnd ? "end" : "wait";
    if (this.#settings.reading === "by-key") this.#split = { ...this.#split, position: next.position };
    this.#room?.();
    return next;
  }

  close(): void {
    this.#isClosed = true;
    this.#room?.();
  }

  async #run(): Promise<void> {
    const { connection: settings, what } = this.#settings;
    const backoff = new Backoff();
    let endMs = Date.now() + settings.connectionWaitMs;
    while (!this.#isClosed) {
      const before = this.#fetchPosition;
      const connection = await this.#pool.acquire(`reading ${what}`);
      try {
        await this.#read(connection);
        this.#pool.release(connection);
        return;
      } catch (error) {
        this.#pool.destroy(connection);
        if (this.#isClosed) return;
        if (this.#fetchPosition !== before) endMs = Date.now() + settings.connectionWaitMs;
        const kind = failureOf(settings, error)?.kind;
        const canGoOn = this.#settings.reading !== "streamed" || !this.#hasRows;
        if ((kind !== "connection" && kind !== "transient") || !canGoOn || Date.now() >= endMs) throw jdbcError(settings, `reading ${what}`, error);
        await backoff.pause();
      }
    }
  }

  async #read(connection: JdbcConnection): Promise<void> {
    const { fetchSize } = this.#settings;
    const { sql, parameters } = queryOf({ ...this.#split, position: this.#fetchPosition }, this.#settings as JdbcSourceSettings<never>);
    const cursor = await connection.openCursor(sql, parameters, fetchSize);
    const decode = this.#decoder(cursor);
    const keyIndex = this.#keyIndex(cursor);
    const whole: { records: T[]; malformed: readonly MalformedRow[] } = { records: [], malformed: [] };
    for (;;) {
      const rows = await cursor.next();
      if (rows.length === 0) break;
      const decoded = decode(rows);
      if (this.#settings.reading === "whole-splits") {
        whole.records = whole.records.concat(decoded.records);
        whole.malformed = whole.malformed.concat(decoded.malformed);
      } else await this.#add({ ...decoded, position: rows.at(-1)![keyIndex] ?? null });
      if (this.#isClosed) return;
    }
    await cursor.close();
    if (whole.records.length > 0 || whole.malformed.length > 0) this.#fetched.push({ ...whole, position: null });
    this.#isAtEnd = true;
  }

  async #add(fetched: Fetched<T>): Promise<void> {
    if (this.#settings.reading === "by-key") {
      if (fetched.position === null) throw new MillraceError({ code: "JDBC_KEY_INVALID", message: `${this.#settings.what}: the key column "${this.#settings.keyColumn}" is NULL in a row`, location: { option: "keyColumn" } });
      this.#fetchPosition = fetched.position;
    }
    this.#fetched.push(fetched);
    this.#hasRows = true;
    this.#wake();
    while (this.#fetched.length >= FETCHED_AHEAD && !this.#isClosed) await new Promise<void>((resolve) => (this.#room = resolve));
  }

  #decoder({ columns }: JdbcCursor): (rows: readonly JdbcRawRow[]) => FetchedRows<T> {
    const { types, what, table, deserializer, onError } = this.#settings;
    const rowOf = rowDecoder(withKinds(columns, types), types, what);
    const recordOf = (raw: JdbcRawRow): T | undefined => {
      const row = rowOf(raw);
      if (deserializer === undefined) return row as T;
      try {
        return deserializer(row);
      } catch (error) {
        throw isMillraceError(error) ? error : malformedRowError(what, error);
      }
    };
    return (rows) => {
      const records: T[] = [];
      const malformed: MalformedRow[] = [];
      for (const raw of rows) {
        try {
          const record = recordOf(raw);
          if (record !== undefined) records.push(record);
        } catch (error) {
          if (onError === "fail") throw error;
          malformed.push(malformedRow(table, columns, raw, error as Error));
        }
      }
      return { records, malformed };
    };
  }

  #keyIndex({ columns }: JdbcCursor): number {
    const { keyColumn } = this.#settings;
    if (keyColumn === undefined) return -1;
    const index = columns.findIndex(({ name }) => name === keyColumn);
    if (index >= 0) return index;
    throw new MillraceError({ code: "JDBC_COLUMN_NOT_FOUND", message: `the result of ${this.#settings.what} has no column "${keyColumn}"`, hint: `it has ${columns.map(({ name }) => name).join(", ")}`, location: { option: "keyColumn" } });
  }
}
