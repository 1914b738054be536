import pg from "pg";
import { formatTotal } from "../check/entries.js";
import type { PostgresService } from "../world/world.js";
import type { Output } from "./ends.js";

const ANSWER_LIMIT_MS = 10_000;

/** A table of totals, read past the proxy by another client than ours. */
export class PostgresOutput implements Output {
  readonly args: readonly string[];
  readonly #postgres: PostgresService;
  readonly #table: string;
  count = 0;

  private constructor(postgres: PostgresService, table: string) {
    this.#postgres = postgres;
    this.#table = table;
    this.args = [`--${table}`, table];
  }

  /** @param key of the table, in SQL: without one nothing keeps a row from coming twice */
  static async open(postgres: PostgresService, table: string, key: string = ""): Promise<PostgresOutput> {
    const output = new PostgresOutput(postgres, table);
    await output.#query(`CREATE TABLE ${table} (key text, seq int, count int, sum bigint${key === "" ? "" : `, ${key}`})`);
    return output;
  }

  async refresh(): Promise<void> {
    try {
      const [[count]] = (await this.#query(`SELECT count(*) FROM ${this.#table}`)) as [[string]];
      this.count = Number(count);
    } catch {
      // It is away; the next look may find it.
    }
  }

  async readAll(): Promise<{ readonly lines: readonly string[]; readonly complaints: readonly string[] }> {
    const rows = await this.#query(`SELECT key, seq, count, sum FROM ${this.#table}`);
    const prepared = await this.#query("SELECT gid FROM pg_prepared_xacts");
    return {
      lines: rows.map(([key, seq, count, sum]) => formatTotal({ key: String(key), seq: Number(seq), count: Number(count), sum: Number(sum) })),
      complaints: prepared.length === 0 ? [] : [`transactions are still prepared: ${prepared.join(", ")}`],
    };
  }

  async close(): Promise<void> {}

  async #query(text: string): Promise<unknown[][]> {
    const client = new pg.Client({ connectionString: this.#postgres.server.url, connectionTimeoutMillis: ANSWER_LIMIT_MS, query_timeout: ANSWER_LIMIT_MS });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return (await client.query({ text, rowMode: "array" })).rows as unknown[][];
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
