import { equalsByText, quotedElement } from "@millrace/connector-jdbc";
import type { JdbcColumn, JdbcKind, JdbcParameter, JdbcTableWriter, JdbcWriteTarget } from "@millrace/connector-jdbc";
import { copyText } from "./copy-in.js";
import { quote, quoteTable } from "./postgres-names.js";
import { isBuiltInType } from "./postgres-types.js";

export interface StatementRunner {
  run(sql: string, parameters: readonly unknown[]): Promise<unknown>;
  copy(sql: string, data: Buffer): Promise<void>;
}

type Rows = readonly (readonly JdbcParameter[])[];

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

/** The parameter of a column. Arrays of other types may have elements that are arrays, or something else than a comma between them. */
const parameterOf = ({ type: { name } }: JdbcColumn, i: number): string => `$${i + 1}::${isBuiltInType(name) ? name : "text"}[]`;

/** The parameters as rows of `c0`, `c1`, …: functions in a select list are taken row by row, where `FROM unnest(…)` first writes all rows down. */
function selectRows(columns: readonly JdbcColumn[]): string {
  return `SELECT ${columns.map((column, i) => `unnest(${parameterOf(column, i)})${isBuiltInType(column.type.name) ? "" : `::${column.type.name}`} AS c${i}`).join(", ")}`;
}

/** Columns as array literals of texts. @param isPlain of which columns every text is an element as it is */
export function arraysOf(rows: Rows, count: number, isPlain: readonly boolean[] = []): string[] {
  // Joined in one go: adding element to element makes two strings of each.
  const elements = new Array<string>(rows.length);
  return Array.from({ length: count }, (_, column) => {
    for (let i = 0; i < rows.length; i++) {
      const value = rows[i]![column]!;
      elements[i] = value === null ? "NULL" : isPlain[column] ? (value as string) : quotedElement(value);
    }
    return `{${elements.join(",")}}`;
  });
}

function upsertOf({ table, columns, keys, mode }: JdbcWriteTarget): string {
  const others = columns.filter((_, i) => !keys.includes(i)).map(({ name }) => `${quote(name)} = excluded.${quote(name)}`);
  const conflict = `ON CONFLICT (${keys.map((key) => quote(columns[key]!.name)).join(", ")})`;
  const action = mode === "insert-ignore" || others.length === 0 ? "DO NOTHING" : `DO UPDATE SET ${others.join(", ")}`;
  const into = `INSERT INTO ${quoteTable(table)} (${namesOf(columns)})`;
  // A batch never has two rows for one key.
  if (keys.every((key) => equalsByText(columns[key]!.type))) return `${into} ${selectRows(columns)} ${conflict} ${action}`;
  // Two texts may be one key (1.0 and 1.00): the last change of each counts.
  const distinct = keys.map((key) => `c${key}`).join(", ");
  const rows = `${selectRows(columns)}, generate_subscripts(${parameterOf(columns[0]!, 0)}, 1) AS at`;
  return `${into} SELECT DISTINCT ON (${distinct}) ${columns.map((_, i) => `c${i}`).join(", ")} FROM (${rows}) AS u ORDER BY ${distinct}, at ${mode === "upsert" ? "DESC" : "ASC"} ${conflict} ${action}`;
}

function deleteOf({ table, columns, keys }: JdbcWriteTarget): string {
  const keyColumns = keys.map((key) => columns[key]!);
  const conditions = keyColumns.map(({ name }, i) => `t.${quote(name)} = u.c${i}`).join(" AND ");
  return `DELETE FROM ${quoteTable(table)} AS t USING (${selectRows(keyColumns)}) AS u WHERE ${conditions}`;
}
