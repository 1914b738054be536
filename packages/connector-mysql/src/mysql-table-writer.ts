import type { JdbcColumn, JdbcParameter, JdbcTableWriter, JdbcWriteTarget } from "@millrace/connector-jdbc";
import { literalOf, quote, quoteTable } from "./mysql-literals.js";

type Rows = readonly (readonly JdbcParameter[])[];

/** Characters of one statement: far below `max_allowed_packet`, which is 16 MiB by default. */
const STATEMENT_LENGTH = 1 << 20;

/** Writes and deletes by statements of many rows. */
export class MysqlTableWriter implements JdbcTableWriter {
  readonly #run: (sql: string) => Promise<unknown>;
  readonly #columns: readonly JdbcColumn[];
  readonly #keys: readonly JdbcColumn[];
  readonly #insert: string;
  readonly #suffix: string;
  readonly #delete: string;

  constructor(run: (sql: string) => Promise<unknown>, { table, columns, keys, mode }: JdbcWriteTarget) {
    this.#run = run;
    this.#columns = columns;
    this.#keys = keys.map((key) => columns[key]!);
    this.#insert = `INSERT INTO ${quoteTable(table)} (${columns.map(({ name }) => quote(name)).join(", ")}) VALUES `;
    const others = columns.filter((_, i) => !keys.includes(i)).map(({ name }) => quote(name));
    // INSERT IGNORE would also cut what does not fit. This leaves the row as it is.
    const kept = keys.length === 0 ? "" : `${quote(columns[keys[0]!]!.name)} = ${quote(columns[keys[0]!]!.name)}`;
    const assignments = mode === "upsert" && others.length > 0 ? others.map((name) => `${name} = VALUES(${name})`).join(", ") : kept;
    this.#suffix = mode === "insert" ? "" : ` ON DUPLICATE KEY UPDATE ${assignments}`;
    const names = this.#keys.map(({ name }) => quote(name)).join(", ");
    this.#delete = `DELETE FROM ${quoteTable(table)} WHERE ${this.#keys.length === 1 ? names : `(${names})`} IN (`;
  }

  write(rows: Rows): Promise<void> {
    return this.#inPieces(rows, this.#insert, (row) => `(${row.map((value, i) => literalOf(this.#columns[i]!.type, value)).join(",")})`, this.#suffix);
  }

  delete(keys: Rows): Promise<void> {
    return this.#inPieces(keys, this.#delete, (key) => {
      const parts = key.map((value, i) => literalOf(this.#keys[i]!.type, value)).join(",");
      return key.length === 1 ? parts : `(${parts})`;
    }, ")");
  }

  async #inPieces(rows: Rows, begin: string, textOf: (row: readonly JdbcParameter[]) => string, end: string): Promise<void> {
    let sql = "";
    for (const row of rows) {
      sql += `${sql === "" ? begin : ","}${textOf(row)}`;
      if (sql.length < STATEMENT_LENGTH) continue;
      await this.#run(sql + end);
      sql = "";
    }
    if (sql !== "") await this.#run(sql + end);
  }
}
