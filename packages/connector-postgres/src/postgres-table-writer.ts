import { quotedElement } from "@millrace/connector-jdbc";
import type { JdbcColumn, JdbcKind, JdbcParameter, JdbcTableWriter, JdbcWriteTarget } from "@millrace/connector-jdbc";
import { copyText } from "./copy-in.js";
import { quote, quoteTable } from "./postgres-names.js";

export interface StatementRunner {
  run(sql: string, parameters: readonly unknown[]): Promise<unknown>;
  copy(sql: string, data: Buffer): Promise<void>;
}

type Rows = readonly (readonly JdbcParameter[])[];

/** Kinds of keys that are equal only when their texts are: a batch never has two rows for one. */
const EXACT_KINDS: ReadonlySet<JdbcKind> = new Set(["integer", "uuid", "bytes", "boolean"]);

/** Kinds whose texts are made of digits, letters and signs alone. */
const PLAIN_KINDS: ReadonlySet<JdbcKind> = new Set(["integer", "float", "decimal", "boolean", "timestamp", "timestamptz", "date"]);

/** Inserts by COPY, upserts and deletes by one statement over arrays: each column one parameter, whatever the number of rows. */
export class PostgresTableWriter implements JdbcTableWriter {
  readonly #runner: StatementRunner;
  readonly #keyCount: number;
  readonly #columnCount: number;
  readonly #isCopy: boolean;
  readonly #isPlain: readonly boolean[];
  readonly #write: string;
  readonly #delete: string;

  constructor(runner: StatementRunner, target: JdbcWriteTarget) {
    this.#runner = runner;
    this.#keyCount = target.keys.length;
    this.#columnCount = target.columns.length;
    this.#isCopy = target.mode === "insert";
    this.#isPlain = target.columns.map(({ type }) => PLAIN_KINDS.has(type.kind));
    this.#write = this.#isCopy ? `COPY ${quoteTable(target.table)} (${namesOf(target.columns)}) FROM STDIN` : upsertOf(target);
    this.#delete = deleteOf(target);
  }

  async write(rows: Rows): Promise<void> {
    if (this.#isCopy) await this.#runner.copy(this.#write, copyText(rows, this.#isPlain));
    else await this.#runner.run(this.#write, arraysOf(rows, this.#columnCount, this.#isPlain));
  }

  async delete(keys: Rows): Promise<void> {
    await this.#runner.run(this.#delete, arraysOf(keys, this.#keyCount));
  }
}

const namesOf = (columns: readonly JdbcColumn[]): string => columns.map(({ name }) => quote(name)).join(", ");
const arrayParameters = (count: number): string => Array.from({ length: count }, (_, i) => `$${i + 1}::text[]`).join(", ");
const aliases = (count: number): string => Array.from({ length: count }, (_, i) => `c${i}`).join(", ");
const castOf = ({ type }: JdbcColumn, alias: string): string => (type.name === "text" ? alias : `${alias}::${type.name}`);

/** Columns as array literals of texts. @param isPlain of which columns every text is an element as it is */
export function arraysOf(rows: Rows, count: number, isPlain: readonly boolean[] = []): string[] {
  return Array.from({ length: count }, (_, column) => {
    let text = "";
    for (const row of rows) {
      const value = row[column]!;
      text += (text === "" ? "{" : ",") + (value === null ? "NULL" : isPlain[column] ? (value as string) : quotedElement(value));
    }
    return text === "" ? "{}" : `${text}}`;
  });
}

function upsertOf({ table, columns, keys, mode }: JdbcWriteTarget): string {
  const count = columns.length;
  const casts = columns.map((column, i) => castOf(column, `u.c${i}`)).join(", ");
  const others = columns.filter((_, i) => !keys.includes(i)).map(({ name }) => `${quote(name)} = excluded.${quote(name)}`);
  const conflict = `ON CONFLICT (${keys.map((key) => quote(columns[key]!.name)).join(", ")})`;
  const action = mode === "insert-ignore" || others.length === 0 ? "DO NOTHING" : `DO UPDATE SET ${others.join(", ")}`;
  const into = `INSERT INTO ${quoteTable(table)} (${namesOf(columns)})`;
  if (keys.every((key) => EXACT_KINDS.has(columns[key]!.type.kind))) return `${into} SELECT ${casts} FROM unnest(${arrayParameters(count)}) AS u(${aliases(count)}) ${conflict} ${action}`;
  // Two texts may be one key (1.0 and 1.00): the last change of each counts.
  const distinct = keys.map((key) => castOf(columns[key]!, `u.c${key}`)).join(", ");
  return `${into} SELECT DISTINCT ON (${distinct}) ${casts} FROM unnest(${arrayParameters(count)}) WITH ORDINALITY AS u(${aliases(count)}, at) ORDER BY ${distinct}, u.at ${mode === "upsert" ? "DESC" : "ASC"} ${conflict} ${action}`;
}

function deleteOf({ table, columns, keys }: JdbcWriteTarget): string {
  const conditions = keys.map((key, i) => `t.${quote(columns[key]!.name)} = ${castOf(columns[key]!, `u.c${i}`)}`).join(" AND ");
  return `DELETE FROM ${quoteTable(table)} AS t USING unnest(${arrayParameters(keys.length)}) AS u(${aliases(keys.length)}) WHERE ${conditions}`;
}
