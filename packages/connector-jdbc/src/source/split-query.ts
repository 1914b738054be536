import type { JdbcSourceSettings } from "./jdbc-source-options.js";
import type { JdbcSplit } from "./jdbc-split.js";

/** The statement that reads what is left of a split. */
export function queryOf({ range, parameters: given, position }: JdbcSplit, settings: JdbcSourceSettings<never>): { readonly sql: string; readonly parameters: readonly unknown[] } {
  const { table, columns, filter, partition, query, keyColumn, connection: { dialect } } = settings;
  const parameters: unknown[] = [...given];
  const parameter = (value: unknown): string => dialect.placeholder(parameters.push(value));
  const conditions: string[] = filter === undefined ? [] : [`(${filter})`];
  if (partition !== undefined) {
    const column = dialect.quote(partition.column);
    if (range.kind === "null") conditions.push(`${column} IS NULL`);
    if (range.kind === "between") conditions.push(`${column} >= ${parameter(range.lower)}`, `${column} ${range.isUpperIncluded ? "<=" : "<"} ${parameter(range.upper)}`);
  }
  const key = keyColumn === undefined ? undefined : dialect.quote(keyColumn);
  if (key !== undefined && position !== null) conditions.push(`${key} > ${parameter(position)}`);
  if (query !== undefined && key === undefined) return { sql: query, parameters };
  const from = query === undefined ? `${columns.length === 0 ? "*" : columns.map((column) => dialect.quote(column)).join(", ")} FROM ${dialect.quoteTable(table!)}` : `* FROM (${query}\n) AS millrace_query`;
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  return { sql: `SELECT ${from}${where}${key === undefined ? "" : ` ORDER BY ${key}`}`, parameters };
}
